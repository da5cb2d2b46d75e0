/**
 * The city's own rules, for a host and its sub-domains: they open or close it, or correct what the lists say of it. The
 * narrowest host wins, then the school's own rule, then the stricter one.
 */
import { compileByHost } from './by-host.ts'
import type { CategorySet } from './category.ts'
import { suffixes, type Host } from './host.ts'
import type { Client } from './network.ts'
import type { LocalRule, PolicyDocument } from './policy-document.ts'
import { endOfDate } from './schedule.ts'

export interface LocalRuleTable {
  /** The rule that opens or closes the host for this client. */
  readonly deciding: (host: Host, client: Client, now: number) => LocalRule | undefined
  /** What the lists say, corrected. */
  readonly correct: (set: CategorySet, host: Host, client: Client, now: number) => CategorySet
  /** All rules that act on the host for this client, the deciding ones first. */
  readonly about: (host: Host, client: Client, now: number) => readonly LocalRule[]
}

interface Compiled {
  readonly host: Host
  readonly rule: LocalRule
  readonly until: number
}

export function compileLocalRules(policy: PolicyDocument): LocalRuleTable {
  const { timeZone } = policy.city
  const compiled = policy.rules.toSorted(byStrength).map((rule): Compiled => ({
    host: rule.host,
    rule,
    until: rule.until === undefined ? Infinity : endOfDate(rule.until, timeZone),
  }))
  const findDeciding = compileByHost(
    compiled.filter(({ rule }) => !isCorrection(rule)),
    acts,
  )
  const findCorrection = compileByHost(
    compiled.filter(({ rule }) => isCorrection(rule)),
    acts,
  )
  const byHost = Map.groupBy(compiled, ({ host }) => host)
  const about = (host: Host, client: Client, now: number): LocalRule[] =>
    [...suffixes(host)]
      .flatMap(name => byHost.get(name) ?? [])
      .filter(one => acts(one, client, now))
      .map(({ rule }) => rule)
  return {
    about,
    deciding: (host, client, now) => findDeciding(host, client, now)?.rule,
    correct: (set, host, client, now) =>
      findCorrection(host, client, now) === undefined
        ? set
        : correct(set, about(host, client, now)),
  }
}

/** Rules that say what a host is, not whether it is open. */
export function isCorrection({ action }: LocalRule): boolean {
  return action === 'classify' || action === 'declassify'
}

function acts({ rule, until }: Compiled, client: Client, now: number): boolean {
  return now < until && (rule.site === undefined || rule.site === client.site)
}

const STRENGTH = { block: 0, allow: 1, classify: 0, declassify: 1 } as const

/** For the same host: a school's own rule before the city's, then the stricter one. */
function byStrength(a: LocalRule, b: LocalRule): number {
  const ownA = a.site === undefined ? 1 : 0
  const ownB = b.site === undefined ? 1 : 0
  return ownA - ownB || STRENGTH[a.action] - STRENGTH[b.action]
}

function correct(set: CategorySet, rules: readonly LocalRule[]): CategorySet {
  const corrected = new Set(set)
  const settled = new Set<string>()
  for (const rule of rules) {
    const { action, category } = rule
    if (!isCorrection(rule) || category === undefined || settled.has(category)) continue
    settled.add(category)
    if (action === 'classify') corrected.add(category)
    else corrected.delete(category)
  }
  return settled.size === 0 ? set : [...corrected].sort()
}
