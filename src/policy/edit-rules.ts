/** Adds and removes the city's own rules. Pure: answers the next policy document. */
import { PreauError } from '../errors.ts'
import { MAX_RULES, type LocalRule, type PolicyDocument } from './policy-document.ts'

/** What makes two rules the same one: whatever the reason, the end and the person. */
export function ruleKey({ host, action, category = '', site = '' }: LocalRule): string {
  return [host, action, category, site].join('|')
}

/** Adds a rule, or replaces the one that says the same. Throws PREAU_INVALID_INPUT when there are too many. */
export function addRule(policy: PolicyDocument, rule: LocalRule): PolicyDocument {
  const key = ruleKey(rule)
  const others = policy.rules.filter(other => ruleKey(other) !== key)
  if (others.length >= MAX_RULES)
    throw new PreauError('PREAU_INVALID_INPUT', {
      field: 'rules',
      detail: { fr: `au plus ${MAX_RULES} règles`, en: `at most ${MAX_RULES} rules` },
    })
  return { ...policy, rules: [rule, ...others] }
}

/** Removes the rule of a key. Throws PREAU_NOT_FOUND when it is not there (any more). */
export function removeRule(policy: PolicyDocument, key: string): PolicyDocument {
  const rules = policy.rules.filter(rule => ruleKey(rule) !== key)
  if (rules.length === policy.rules.length) throw new PreauError('PREAU_NOT_FOUND')
  return { ...policy, rules }
}

/** Puts a removed rule back where it stood. Throws PREAU_UNDO_TOO_LATE where somebody has added the same one meanwhile. */
export function putBackRule(
  policy: PolicyDocument,
  rule: LocalRule,
  index: number,
): PolicyDocument {
  const key = ruleKey(rule)
  const isThere = policy.rules.some(other => ruleKey(other) === key)
  if (isThere || policy.rules.length >= MAX_RULES) throw new PreauError('PREAU_UNDO_TOO_LATE')
  return { ...policy, rules: policy.rules.toSpliced(index, 0, rule) }
}
