/** Texts that people read, French first. One file of texts per area and language in `views/locales/`. */
import { withCommand } from './command-name.ts'

const LOCALES = ['fr', 'en'] as const
export type Locale = (typeof LOCALES)[number]
export type Params = Readonly<Record<string, string | number>>

/** `t('key', { name })`: the text with its `{name}` replaced. Values are not escaped here: the view engine does. */
export type Translate<Key extends string> = (key: Key, params?: Params) => string

/** Makes the translator of one area from its two tables, which must have the same keys (a test compares them). */
export function createTexts<Key extends string>(
  tables: Readonly<Record<Locale, Readonly<Record<Key, string>>>>,
): (locale: Locale) => Translate<Key> {
  return locale => {
    const table = tables[locale]
    return (key, params = {}) =>
      withCommand(
        table[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole)),
      )
  }
}

/** The best locale for an `Accept-Language` field (RFC 9110 §12.5.4); French unless English is clearly preferred. */
export function negotiateLocale(acceptLanguage: string | undefined): Locale {
  if (acceptLanguage === undefined || acceptLanguage.length > 500) return 'fr'
  const weights = acceptLanguage.split(',').map(part => {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
    const q = parameters.map(p => /^\s*q=([\d.]+)$/.exec(p)?.[1]).find(Boolean)
    return { language: tag.split('-')[0], weight: q === undefined ? 1 : Number(q) }
  })
  const weightOf = (language: Locale): number =>
    Math.max(0, ...weights.filter(w => w.language === language).map(w => w.weight))
  return weightOf('en') > weightOf('fr') ? 'en' : 'fr'
}

export const LANGUAGE_TAG: Readonly<Record<Locale, string>> = { fr: 'fr-FR', en: 'en-GB' }
