/** What the slower of two people reads: who was faster, how it was decided, and when. */
import { PreauError } from '../errors.ts'
import type { Locale } from '../i18n.ts'
import type { Decision } from '../policy/decision.ts'
import { createWording, type Wording } from './wording.ts'

/** PREAU_ALREADY_DECIDED in the words of both languages. */
export function alreadyDecided(
  { by, at, outcome }: Decision,
  { now, timeZone }: Pick<Wording, 'now' | 'timeZone'>,
): PreauError {
  const say = (locale: Locale) => {
    const words = createWording({ locale, timeZone, now, siteNames: new Map() })
    const { date } = words.moment(at)
    const when = words.t('decided.said.when', { date })
    return { outcome: words.t(`decided.said.${outcome}`), when }
  }
  const [fr, en] = [say('fr'), say('en')]
  return new PreauError('PREAU_ALREADY_DECIDED', {
    by,
    outcome: { fr: fr.outcome, en: en.outcome },
    when: { fr: fr.when, en: en.when },
  })
}
