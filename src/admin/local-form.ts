/** The form of a local rule: reads and judges its fields, all of them. */
import type { Catalogue } from '../policy/category.ts'
import { isAddress, parseHumanHost, type Host } from '../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import { FormReader } from './form-reader.ts'
import type { AdminTranslate } from './texts.ts'

export const MAX_KEY = 400
const MAX_REASON = 200
export const ACTIONS = ['allow', 'block', 'classify', 'declassify'] as const

export interface RuleContext {
  readonly catalogue: Catalogue
  readonly t: AdminTranslate
  readonly by: string
  readonly now: number
  readonly policy: PolicyDocument | undefined
}

/** Throws FormRefused. */
export function readRule(body: unknown, { catalogue, t, by, now, policy }: RuleContext): LocalRule {
  const form = new FormReader(body, t)
  const host = parseTyped(form.needed('host', 2_000))
  if (host === undefined) form.fail('host', t('local.badHost'))
  const action = form.choice('action', ACTIONS)
  const isCorrection = action === 'classify' || action === 'declassify'
  const category = form.text('category', 64)
  if (isCorrection && !catalogue.has(category)) form.fail('category', t('local.badCategory'))
  const reason = form.text('reason', MAX_REASON)
  const note = form.text('note', MAX_REASON)
  if (action === 'declassify' && reason === '' && note === '')
    form.fail('note', t('local.needReason'))
  const site = form.text('site', 16)
  if (site !== '' && !policy?.sites.some(({ uai }) => uai === site))
    form.fail('site', t('local.badSite'))
  const tunnels = form.text('tunnels', 3)
  if (tunnels !== '' && (tunnels !== 'any' || action !== 'allow'))
    form.fail('tunnels', t('local.badTunnels'))
  const until = form.text('until', 10)
  if (until !== '' && !isDate(until)) form.fail('until', t('local.badDate'))
  if (host === undefined || form.isWrong) return form.refuse()
  return {
    host,
    action,
    ...(isCorrection ? { category } : {}),
    ...(site === '' ? {} : { site }),
    ...(reason === '' ? {} : { reason }),
    ...(note === '' ? {} : { note }),
    ...(tunnels === 'any' ? { tunnels } : {}),
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
