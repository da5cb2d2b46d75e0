/** The city's own rules: seen, added and removed; in force at once in every process. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { CURRENT } from '../../policy/document.ts'
import { addRule, removeRule, ruleKey } from '../../policy/edit-rules.ts'
import { parseHost } from '../../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../../policy/policy-document.ts'
import { endOfDate } from '../../policy/schedule.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, textField } from '../form.ts'
import { MAX_KEY, readRule } from '../local-form.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import type { Wording } from '../wording.ts'

const MAX_ROWS = 300
const MAX_SITES = 1_000

export function localRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, catalogue, clock } = deps
  app.get('/local', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const filter = queryText(request.query, 'q') ?? ''
    const all = policy?.rules ?? []
    const found = all.filter(rule => textOf(rule).includes(filter.toLowerCase()))
    const notice = noticeOf(request, words)
    const data = {
      rows: found.slice(0, MAX_ROWS).map(rule => viewRule(rule, words, deps, policy)),
      filter,
      count: all.length,
      found: found.length,
      max: MAX_ROWS,
      typed: { host: queryText(request.query, 'host') ?? '' },
      today: new Date(clock()).toISOString().slice(0, 10),
      categories: [...catalogue.values()].map(({ id, label }) => ({
        id,
        label: label[words.locale],
      })),
      sites: (policy?.sites ?? []).slice(0, MAX_SITES).map(({ uai, name }) => ({ uai, name })),
    }
    const page = { view: 'local', title: words.t('local.title'), nav: 'nav.local' } as const
    return renderPage(request, reply, deps, { ...page, notice, data }, policy)
  })
  app.post('/local', { config: { access: 'dsi' } }, async (request, reply) => {
    const { t } = wordingFor(request, deps, undefined)
    const by = request.who?.user.name ?? ''
    const rule = readRule(request.body, {
      catalogue,
      t,
      by,
      now: clock(),
      policy: await readPolicy(store),
    })
    await change(deps, { by, action: 'rule.add', rule }, policy => addRule(policy, rule))
    return reply.redirect(`/local?added=${encodeURIComponent(rule.host)}`, 303)
  })
  app.post('/local/remove', { config: { access: 'dsi' } }, async (request, reply) => {
    const key = textField(request.body, 'key', MAX_KEY)
    const rule = (await readPolicy(store))?.rules.find(other => ruleKey(other) === key)
    if (rule === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const by = request.who?.user.name ?? ''
    await change(deps, { by, action: 'rule.remove', rule }, policy => removeRule(policy, key))
    return reply.redirect(`/local?removed=${encodeURIComponent(rule.host)}`, 303)
  })
}

interface Act {
  readonly by: string
  readonly action: 'rule.add' | 'rule.remove'
  readonly rule: LocalRule
}

/** One commit of the policy; when somebody else changed it meanwhile, the same change is made on theirs. */
async function change(
  { store, clock }: RouteDeps,
  { by, action, rule }: Act,
  edit: (policy: PolicyDocument) => PolicyDocument,
): Promise<void> {
  const detail = {
    effect: rule.action,
    ...(rule.category === undefined ? {} : { category: rule.category }),
    ...(rule.site === undefined ? {} : { site: rule.site }),
    ...(rule.reason === undefined ? {} : { reason: rule.reason }),
  }
  const note = { by, action, subject: rule.host, detail, at: clock() }
  await againOnConflict(async () => {
    const stored = await store.get('policy', CURRENT)
    if (stored === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const body = edit(stored.body)
    await store.commit(note, [{ kind: 'policy', id: CURRENT, expects: stored.version, body }])
  })
}

function noticeOf(request: FastifyRequest, { t }: Wording) {
  // A host or nothing: a link must not put a sentence of its own on our page.
  const read = (name: string) => parseHost(queryText(request.query, name, 253) ?? '')
  const [added, removed] = [read('added'), read('removed')]
  if (added !== undefined) return { kind: 'done', text: t('local.done', { host: added }) } as const
  if (removed !== undefined)
    return { kind: 'done', text: t('local.removed', { host: removed }) } as const
  return undefined
}

const textOf = ({ host, reason = '', category = '', by = '' }: LocalRule): string =>
  `${host} ${reason} ${category} ${by}`.toLowerCase()

function viewRule(
  rule: LocalRule,
  words: Wording,
  { catalogue, clock }: RouteDeps,
  policy: PolicyDocument | undefined,
) {
  const { t, locale } = words
  const category = catalogue.get(rule.category ?? '')?.label[locale] ?? rule.category ?? ''
  const timeZone = policy?.city.timeZone ?? 'Europe/Paris'
  return {
    key: ruleKey(rule),
    host: rule.host,
    action: rule.action,
    effect: t(`local.${rule.action}`, { category }),
    where: rule.site === undefined ? t('local.everywhere') : words.siteName(rule.site),
    reason: rule.reason ?? '',
    until: rule.until,
    isEnded: rule.until !== undefined && endOfDate(rule.until, timeZone) <= clock(),
    by: rule.by ?? '',
    at: rule.at === undefined ? undefined : words.moment(Date.parse(rule.at)),
  }
}
