/** What a person should know of a rule before it is saved: that it would not act, or that another one no longer would. */
import { createHash } from 'node:crypto'
import { addRule, ruleKey } from '../policy/edit-rules.ts'
import { isInForce, type Grant } from '../policy/grant.ts'
import { suffixes } from '../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import { judgeRules } from '../policy/rule-standing.ts'
import type { RouteDeps } from './deps.ts'
import { listAll } from './list-all.ts'
import { sayEffect, sayWhere, sayWinners, type RuleContext } from './rule-view.ts'

const MAX_GRANTS = 200
/** The grants of a page of rules are read together: more of them are not in force at a time. */
const MAX_ALL_GRANTS = 5_000

export interface Doubts {
  readonly texts: readonly string[]
  /** What the person agrees to; of another rule or for another reason it is another one. */
  readonly consent: string
}

/** undefined: it acts as it says, and takes nothing from another one. */
export async function doubtsAbout(
  rule: LocalRule,
  policy: PolicyDocument,
  deps: RouteDeps,
  context: RuleContext,
): Promise<Doubts | undefined> {
  const { current, clock } = deps
  const now = clock()
  const { snapshot } = current
  const grants = await grantsAround(rule, deps)
  const next = addRule(policy, rule)
  const judge = judgeRules({ policy: next, snapshot, grants, now }, [rule])
  const { acts, winners } = judge(rule)
  const { t } = context.words
  const why = sayWinners(winners, context)
  const own = acts === 'everywhere' ? [] : [t(`local.doubt.${acts}`, { why })]
  const before = judgeRules({ policy, snapshot, grants, now }, [rule])
  const silenced = next.rules.filter(
    other =>
      other !== rule &&
      other.host === rule.host &&
      judge(other).acts === 'nowhere' &&
      before(other).acts !== 'nowhere',
  )
  const texts = [
    ...own,
    ...silenced.map(other =>
      t('local.doubt.silences', {
        effect: sayEffect(other, context),
        where: sayWhere(other, context.words),
      }),
    ),
  ]
  if (texts.length === 0) return undefined
  const told = JSON.stringify([ruleKey(rule), texts])
  return { texts, consent: createHash('sha256').update(told).digest('base64url') }
}

/** The approved grants that open the host of a rule, by its own name or by that of a parent. */
async function grantsAround(rule: LocalRule, { store, clock }: RouteDeps): Promise<Grant[]> {
  if (rule.action !== 'block') return []
  const found = await Promise.all(
    [...suffixes(rule.host)].map(name =>
      store.list('grant', { facet: `host:${name}`, limit: MAX_GRANTS }),
    ),
  )
  const now = clock()
  return found
    .flat()
    .map(({ body }) => body)
    .filter(grant => grant.origin === 'approved' && isInForce(grant, now))
}

/** For a page of rules; none of them is read where no rule could lose to one. */
export async function grantsForRules(
  rules: readonly LocalRule[],
  { store }: RouteDeps,
): Promise<Grant[]> {
  if (!rules.some(({ action }) => action === 'block')) return []
  const found = await listAll(store, 'grant', { facet: 'active:approved' }, MAX_ALL_GRANTS)
  return found.map(({ body }) => body)
}
