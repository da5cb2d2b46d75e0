/** The city's own rules: seen, added and removed; in force at once in every process. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { CURRENT } from '../../policy/document.ts'
import { addRule, putBackRule, removeRule, ruleKey } from '../../policy/edit-rules.ts'
import type { Change } from '../../policy/document.ts'
import type { LocalRule, PolicyDocument } from '../../policy/policy-document.ts'
import { backTo, unsettled } from '../act-place.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import { removedId } from '../../policy/removed.ts'
import type { RouteDeps } from '../deps.ts'
import { textField } from '../form.ts'
import { MAX_KEY, readRule } from '../local-form.ts'
import { RULE_LIST, showLocal } from '../local-page.ts'
import { readPolicy, wordingFor } from '../page.ts'
import { doubtsAbout } from '../rule-doubts.ts'
import { refuseForm, showForm } from '../shown-form.ts'
import { leftMs } from '../undo.ts'

export function localRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/local', { config: { access: 'session' } }, (request, reply) =>
    showLocal(request, reply, deps),
  )
  app.post('/local', { config: { access: 'dsi' } }, async (request, reply) => {
    try {
      return await addAsked(request, reply, deps)
    } catch (error) {
      return showLocal(request, reply, deps, refuseForm(request, reply, error))
    }
  })
  const acts = [
    ['remove', 'done', removeAsked],
    ['restore', 'undone', restoreAsked],
  ] as const
  for (const [verb, act, work] of acts) {
    app.post(`/local/${verb}`, { config: { access: 'dsi' } }, async (request, reply) => {
      const stay = unsettled(RULE_LIST, request, deps.clock())
      if (stay !== undefined) return reply.redirect(stay, 303)
      const key = textField(request.body, 'key', MAX_KEY)
      await work(deps, request.who?.user.name ?? '', key)
      return reply.redirect(backTo(RULE_LIST, request, act, key), 303)
    })
  }
}

/** A second click finds it removed. */
async function removeAsked(deps: RouteDeps, by: string, key: string): Promise<void> {
  const { store } = deps
  const id = removedId('rule', key)
  const rules = (await readPolicy(store))?.rules ?? []
  const index = rules.findIndex(other => ruleKey(other) === key)
  const rule = rules[index]
  if (rule === undefined) {
    const removed = await store.confirmed(() => store.get('removed', id))
    if (removed?.body.by === by) return
    throw new PreauError('PREAU_NOT_FOUND')
  }
  const body = { kind: 'rule', rule, index, by, at: deps.clock() } as const
  await change(deps, { by, action: 'rule.remove', rule }, policy => removeRule(policy, key), [
    { kind: 'removed', id, body },
  ])
}

/** Puts back what the same person has just removed. Throws PREAU_UNDO_TOO_LATE. */
async function restoreAsked(deps: RouteDeps, by: string, key: string): Promise<void> {
  const id = removedId('rule', key)
  const row = await deps.store.get('removed', id)
  if (row === undefined) {
    // A second click finds it back.
    const read = () => readPolicy(deps.store)
    const rules = (await deps.store.confirmed(read))?.rules ?? []
    if (rules.some(other => ruleKey(other) === key)) return
    throw new PreauError('PREAU_NOT_FOUND')
  }
  const removed = row.body
  if (removed.kind !== 'rule' || leftMs(removed, by, deps.clock()) === 0) {
    throw new PreauError('PREAU_UNDO_TOO_LATE')
  }
  const { rule, index } = removed
  const edit = (policy: PolicyDocument) => putBackRule(policy, rule, index)
  await change(deps, { by, action: 'rule.restore', rule }, edit, [
    { kind: 'removed', id, expects: row.version, body: null },
  ])
}

/** A rule that would not do what it says is saved only once somebody has read so. Throws FormRefused. */
async function addAsked(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<FastifyReply> {
  const { store, catalogue, clock } = deps
  const policy = await readPolicy(store)
  if (policy === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const words = wordingFor(request, deps, policy)
  const by = request.who?.user.name ?? ''
  const { t } = words
  const rule = readRule(request.body, { catalogue, t, by, now: clock(), policy })
  const doubts = await doubtsAbout(rule, policy, deps, { words, catalogue, policy })
  if (doubts !== undefined && doubts.consent !== consentIn(request.body)) {
    reply.code(409)
    return showLocal(request, reply, deps, { form: showForm(request.body), doubts })
  }
  await change(deps, { by, action: 'rule.add', rule }, current => addRule(current, rule))
  return reply.redirect(`/local?added=${encodeURIComponent(rule.host)}`, 303)
}

const consentIn = (body: unknown): unknown =>
  typeof body === 'object' && body !== null ? Reflect.get(body, 'consent') : undefined

interface Act {
  readonly by: string
  readonly action: 'rule.add' | 'rule.remove' | 'rule.restore'
  readonly rule: LocalRule
}

/** One commit of the policy; when somebody else changed it meanwhile, the same change is made on theirs. */
async function change(
  { store, clock }: RouteDeps,
  { by, action, rule }: Act,
  edit: (policy: PolicyDocument) => PolicyDocument,
  others: readonly Change[] = [],
): Promise<void> {
  const { category, site, tunnels, reason, note, until } = rule
  const said = { category, site, tunnels, reason, note, until }
  const detail = {
    effect: rule.action,
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
  }
  const commit = { by, action, subject: rule.host, detail, at: clock() }
  await againOnConflict(async () => {
    const stored = await store.get('policy', CURRENT)
    if (stored === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const body = edit(stored.body)
    const edited = { kind: 'policy', id: CURRENT, expects: stored.version, body } as const
    await store.commit(commit, [edited, ...others])
  })
}
