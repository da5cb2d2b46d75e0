/** The city's own allow and block rules, by host and sub-domains; the narrowest host wins, a block wins over an allow. */
import { suffixes, type Host } from './host.ts'
import type { Client } from './network.ts'
import type { LocalRule, PolicyDocument } from './policy-document.ts'

export type LocalRuleTable = (host: Host, client: Client) => LocalRule | undefined

export function compileLocalRules(policy: PolicyDocument): LocalRuleTable {
  if (policy.rules.length === 0) return () => undefined
  const byHost = Map.groupBy(policy.rules, rule => rule.host)
  return (host, client) => {
    for (const name of suffixes(host)) {
      const rules = byHost
        .get(name)
        ?.filter(({ site }) => site === undefined || site === client.site)
      if (rules?.length) return rules.find(rule => rule.action === 'block') ?? rules[0]
    }
    return undefined
  }
}
