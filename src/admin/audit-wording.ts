/** Audit entries as sentences: who did what to what. An action without a sentence is shown under its own name. */
import { isAdminText } from './texts.ts'
import type { Wording, Moment } from './wording.ts'
import type { AuditEntry } from '../store/store.ts'

export interface AuditRow {
  readonly seq: number
  readonly when: Moment
  readonly who: string
  readonly what: string
  /** What the sentence leaves out: « portée : salle · durée : 1 heure ». */
  readonly details: readonly string[]
}

const MAX_DETAILS = 8
const MAX_DETAIL = 200

export function describeEntry(entry: AuditEntry, wording: Wording): AuditRow {
  return { seq: entry.seq, when: wording.moment(entry.at), ...sayEntry(entry, wording) }
}

function sayEntry(entry: AuditEntry, wording: Wording): Pick<AuditRow, 'who' | 'what' | 'details'> {
  const { t } = wording
  const key = `audit.${entry.action}`
  const subject = entry.subject ?? ''
  return {
    who: wording.by(entry.by),
    what: isAdminText(key)
      ? t(key, { subject })
      : t('audit.other', { action: entry.action, subject }),
    details: Object.entries(entry.detail ?? {})
      .slice(0, MAX_DETAILS)
      .flatMap(([name, value]) => describeDetail(name, value, wording)),
  }
}

/** All that a row shows of an entry but its time, and the bare names behind it: what a search looks in. */
export function textsOf(entry: AuditEntry, wording: Wording): string[] {
  const { who, what, details } = sayEntry(entry, wording)
  return [who, what, ...details, entry.by, entry.action]
}

/** Record ids say nothing to a person; the subject has already said which site or account. */
const NOT_SHOWN = new Set(['request', 'requestId', 'grantId', 'outcome', 'lock', 'code'])
/** Details whose value is one of our own words. */
const WORDS = {
  duration: 'duration',
  scope: 'scopeName',
  role: 'role',
  reason: 'reason',
  enabled: 'detail.enabled',
  effect: 'detail.effect',
  tunnels: 'detail.tunnels',
} as const

function describeDetail(
  name: string,
  value: string | number | boolean | null,
  wording: Wording,
): string[] {
  const { t } = wording
  if (value === null || NOT_SHOWN.has(name)) return []
  const word = name in WORDS ? `${WORDS[name as keyof typeof WORDS]}.${value}` : ''
  if (isAdminText(word)) return [t(word)]
  const text = name === 'site' ? wording.siteName(String(value)) : String(value)
  const short = text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text
  const key = `detail.${name}`
  return [isAdminText(key) ? t(key, { value: short }) : `${name}: ${short}`]
}
