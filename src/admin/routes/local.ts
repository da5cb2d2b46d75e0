/** The city's own rules: seen, added and removed; in force at once in every process. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { CURRENT } from '../../policy/document.ts'
import { addRule, removeRule, ruleKey } from '../../policy/edit-rules.ts'
import type { LocalRule, PolicyDocument } from '../../policy/policy-document.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import type { RouteDeps } from '../deps.ts'
import { textField } from '../form.ts'
import { MAX_KEY, readRule } from '../local-form.ts'
import { showLocal } from '../local-page.ts'
import { readPolicy, wordingFor } from '../page.ts'
import { doubtsAbout } from '../rule-doubts.ts'
import { refuseForm, showForm } from '../shown-form.ts'

export function localRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store } = deps
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
  app.post('/local/remove', { config: { access: 'dsi' } }, async (request, reply) => {
    const key = textField(request.body, 'key', MAX_KEY)
    const rule = (await readPolicy(store))?.rules.find(other => ruleKey(other) === key)
    if (rule === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const by = request.who?.user.name ?? ''
    await change(deps, { by, action: 'rule.remove', rule }, policy => removeRule(policy, key))
    return reply.redirect(`/local?removed=${encodeURIComponent(rule.host)}`, 303)
  })
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
  readonly action: 'rule.add' | 'rule.remove'
  readonly rule: LocalRule
}

/** One commit of the policy; when somebody else changed it meanwhile, the same change is made on theirs. */
async function change(
  { store, clock }: RouteDeps,
  { by, action, rule }: Act,
  edit: (policy: PolicyDocument) => PolicyDocument,
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
    await store.commit(commit, [{ kind: 'policy', id: CURRENT, expects: stored.version, body }])
  })
}
