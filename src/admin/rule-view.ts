/** A local rule as pages show it: what it does, for whom and until when, and whether anything decides before it. */
import type { Catalogue } from '../policy/category.ts'
import { ruleKey } from '../policy/edit-rules.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import type { RuleStanding, Winner } from '../policy/rule-standing.ts'
import { categoryLabel, profileLabels } from './list-wording.ts'
import { isAdminText } from './texts.ts'
import type { Wording } from './wording.ts'

export interface RuleContext {
  readonly words: Wording
  readonly catalogue: Catalogue
  readonly policy: PolicyDocument | undefined
}

export function viewRule(rule: LocalRule, { acts, winners }: RuleStanding, context: RuleContext) {
  const { words } = context
  return {
    key: ruleKey(rule),
    host: rule.host,
    action: rule.action,
    effect: sayEffect(rule, context),
    where: sayWhere(rule, words),
    reason: rule.reason ?? '',
    note: rule.note ?? '',
    until: rule.until,
    acts,
    why: sayWinners(winners, context),
    by: rule.by ?? '',
    at: rule.at === undefined ? undefined : words.moment(Date.parse(rule.at)),
  }
}

export function sayEffect({ action, category, tunnels }: LocalRule, context: RuleContext): string {
  const { words, catalogue } = context
  if (tunnels === 'any') return words.t('local.allowAny')
  const label = category === undefined ? '' : categoryLabel(category, catalogue, words)
  return words.t(`local.${action}`, { category: label })
}

export const sayWhere = ({ site }: LocalRule, words: Wording): string =>
  site === undefined ? words.t('local.everywhere') : words.siteName(site)

/** « le contrôle « Catégorie interdite » (Sites pour adultes) décide avant elle » */
export function sayWinners(winners: readonly Winner[], context: RuleContext): string {
  return winners.map(winner => sayWinner(winner, context)).join(' ; ')
}

function sayWinner(winner: Winner, context: RuleContext): string {
  const { words, policy } = context
  const why = sayWhy(winner, context)
  if (winner.profiles.length === 0) return why
  const profiles = profileLabels(winner.profiles, policy, words)
  return words.t('local.wins.for', { profiles, why })
}

function sayWhy({ check, category, rule, grant }: Winner, context: RuleContext): string {
  const { words, catalogue } = context
  const { t } = words
  if (grant !== undefined)
    return t('local.wins.grant', {
      by: words.by(grant.by),
      scope: words.scope(grant.scope),
      until: words.until(grant.until),
    })
  if (rule !== undefined) {
    const { host } = rule
    return t('local.wins.rule', {
      host,
      effect: sayEffect(rule, context),
      where: sayWhere(rule, words),
    })
  }
  if (check === 'already' || check === 'default') return t(`local.wins.${check}`)
  const key = `reason.${check}`
  const name = isAdminText(key) ? t(key) : check
  return category === undefined
    ? t('local.wins.check', { check: name })
    : t('local.wins.category', {
        check: name,
        category: categoryLabel(category, catalogue, words),
      })
}
