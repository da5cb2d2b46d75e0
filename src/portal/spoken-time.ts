/** Times and dates as people say them. Making a format costs fifty times using it, and every waiting page is told times. */
import { LANGUAGE_TAG, type Locale } from '../i18n.ts'

const PARTS = {
  time: { hour: '2-digit', minute: '2-digit' },
  date: { day: 'numeric', month: 'long' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

// As many as there are languages and time zones of the policy: nothing that a client could grow.
const formats = new Map<string, Intl.DateTimeFormat>()

/** « 10:42 », or « 2 mars ». `at`: epoch ms. */
export function spoken(
  parts: keyof typeof PARTS,
  at: number,
  timeZone: string,
  locale: Locale,
): string {
  const key = `${parts} ${locale} ${timeZone}`
  let format = formats.get(key)
  if (format === undefined) {
    format = new Intl.DateTimeFormat(LANGUAGE_TAG[locale], { timeZone, ...PARTS[parts] })
    formats.set(key, format)
  }
  return format.format(at)
}
