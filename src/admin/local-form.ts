/** The form of a local rule: reads and judges its fields, in words that name the field as the page does. */
import { PreauError } from '../errors.ts'
import type { Catalogue } from '../policy/category.ts'
import { isAddress, parseHumanHost, type Host } from '../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import { choiceField, textField } from './form.ts'
import type { AdminText, AdminTranslate } from './texts.ts'

export const MAX_KEY = 400
const MAX_REASON = 200
const ACTIONS = ['allow', 'block', 'classify', 'declassify'] as const

export interface RuleContext {
  readonly catalogue: Catalogue
  readonly t: AdminTranslate
  readonly by: string
  readonly now: number
  readonly policy: PolicyDocument | undefined
}

/** Throws PREAU_INVALID_INPUT. */
export function readRule(body: unknown, { catalogue, t, by, now, policy }: RuleContext): LocalRule {
  const wrong = (field: AdminText, detail: AdminText): PreauError =>
    new PreauError('PREAU_INVALID_INPUT', { field: t(field), detail: t(detail) })
  const host = parseTyped(textField(body, 'host', 2_000))
  if (host === undefined) throw wrong('local.host', 'local.badHost')
  const action = choiceField(body, 'action', ACTIONS)
  const isCorrection = action === 'classify' || action === 'declassify'
  const category = textField(body, 'category', 64)
  if (isCorrection && !catalogue.has(category)) throw wrong('local.category', 'local.badCategory')
  const reason = textField(body, 'reason', MAX_REASON)
  if (action === 'declassify' && reason === '') throw wrong('local.reason', 'local.needReason')
  const site = textField(body, 'site', 16)
  if (site !== '' && !policy?.sites.some(({ uai }) => uai === site))
    throw wrong('local.where', 'local.badSite')
  const until = textField(body, 'until', 10)
  if (until !== '' && !isDate(until)) throw wrong('local.until', 'local.badDate')
  return {
    host,
    action,
    ...(isCorrection ? { category } : {}),
    ...(site === '' ? {} : { site }),
    ...(reason === '' ? {} : { reason }),
    ...(until === '' ? {} : { until }),
    by,
    at: new Date(now).toISOString(),
  }
}

/** A host, or the address of a page copied from a browser. A single label would stand for too much. */
function parseTyped(text: string): Host | undefined {
  const [, name = text] = /^https?:\/\/(\[[^\]]*\]|[^/?#:]*)/i.exec(text) ?? []
  const host = parseHumanHost(name.replace(/^\*?\./, ''))
  return host !== undefined && (host.includes('.') || isAddress(host)) ? host : undefined
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
}
