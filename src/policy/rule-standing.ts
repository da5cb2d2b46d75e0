/**
 * What a local rule does among all other checks: whether it decides for those whom it is meant for, and what decides
 * instead. Asked before a rule is saved, and for the list of the rules.
 */
import type { CategoryId } from './category.ts'
import { compileGrants, covers, type Grant } from './grant.ts'
import { isAddress, suffixes, type Host } from './host.ts'
import { compileLocalRules, isCorrection } from './local-rules.ts'
import { ANY_SCHOOL, NOBODY, type Client, type ProfileId } from './network.ts'
import type { LocalRule, PolicyDocument } from './policy-document.ts'
import { compileProfiles, strictestProfile } from './profile.ts'
import { withoutHours } from './compare-verdicts.ts'
import type { Snapshot } from './snapshot.ts'
import { endOfDate } from './schedule.ts'
import { explain } from './verdict.ts'

/** What decides in place of a rule. */
export interface Winner {
  /** The id of the check; `already`: the lists say the same; `default`: nothing closes what is of that category. */
  readonly check: string
  readonly category?: CategoryId
  /** The rule that wins over it. */
  readonly rule?: LocalRule
  readonly grant?: Grant
  /** For whom, where it is not for all. */
  readonly profiles: readonly ProfileId[]
}

export interface RuleStanding {
  readonly acts: 'everywhere' | 'partly' | 'nowhere' | 'ended'
  readonly winners: readonly Winner[]
}

export interface StandingQuestion {
  /** The policy that has the rule. */
  readonly policy: PolicyDocument
  readonly snapshot: Snapshot
  /** Those in force; only rules that close a site ask for them. */
  readonly grants: readonly Grant[]
  readonly now: number
}

const ALL_ACT: RuleStanding = { acts: 'everywhere', winners: [] }

/** Made once for the rules of a page; each is then judged in the time of a few verdicts. */
export function judgeRules(
  { policy, snapshot, grants, now }: StandingQuestion,
  rules: readonly LocalRule[],
): (rule: LocalRule) => RuleStanding {
  const related = relatedRules(policy, rules)
  // An opening hour or a grant that ends is no reason to call a rule idle: grants are looked at by themselves.
  const judged = {
    ...snapshot,
    profiles: compileProfiles(withoutHours(policy)),
    grants: compileGrants([], 'approved'),
  }
  const withRules = (chosen: readonly LocalRule[]): Snapshot => ({
    ...judged,
    rules: compileLocalRules({ ...policy, rules: [...chosen] }),
  })
  const all = withRules(related)
  return rule => {
    const { until } = rule
    if (until !== undefined && endOfDate(until, policy.city.timeZone) <= now)
      return { acts: 'ended', winners: [] }
    const clients = clientsOf(policy, rule, related)
    const without = isCorrection(rule) ? withRules(related.filter(other => other !== rule)) : all
    const found = clients.map(client => ({
      client,
      winner: isCorrection(rule)
        ? winnerOverCorrection(rule, { all, without, client, now })
        : winnerOverRule(rule, all, client, now),
    }))
    const byGrant =
      rule.action === 'block' ? grants.filter(grant => beats(grant, rule, { all, now })) : []
    return summed(found, byGrant)
  }
}

/** The rules for the same sites and for their parents: the only ones that could decide. */
function relatedRules({ rules }: PolicyDocument, asked: readonly LocalRule[]): LocalRule[] {
  const hosts = new Set(asked.flatMap(({ host }) => [...suffixes(host)]))
  return rules.filter(({ host }) => hosts.has(host))
}

const clientsAt = (site: string, profiles: Iterable<ProfileId>): Client[] =>
  [...new Set(profiles)].map(profile => ({ ip: NOBODY, site, siteName: '', room: '', profile }))

/** One PC per profile that the rule is meant for, and one in each school that has a rule of its own on the matter. */
function clientsOf(
  policy: PolicyDocument,
  rule: LocalRule,
  related: readonly LocalRule[],
): Client[] {
  const profilesAt = (uai: string): ProfileId[] =>
    policy.sites.find(site => site.uai === uai)?.rooms.map(room => room.profile) ?? []
  if (rule.site !== undefined) return clientsAt(rule.site, profilesAt(rule.site))
  const used = policy.sites.flatMap(site => site.rooms.map(room => room.profile))
  const own = new Set(
    related.flatMap(({ host, site }) => (site !== undefined && host === rule.host ? [site] : [])),
  )
  return [
    ...clientsAt(ANY_SCHOOL, [...used, strictestProfile(policy)]),
    ...[...own].flatMap(site => clientsAt(site, profilesAt(site))),
  ]
}

type Found = Omit<Winner, 'profiles'>

/** undefined: the rule decides for this client. */
function winnerOverRule(
  rule: LocalRule,
  snapshot: Snapshot,
  client: Client,
  now: number,
): Found | undefined {
  const target = { host: rule.host, port: 443 }
  const answer = explain(snapshot, client, target, now).find(({ verdict }) => verdict !== undefined)
  const check = answer?.check ?? 'default'
  if (check === 'local-allow' || check === 'local-block') {
    const winner = snapshot.rules.deciding(rule.host, client, now)
    return winner === rule || winner === undefined ? undefined : { check, rule: winner }
  }
  const verdict = answer?.verdict
  const category = verdict?.action === 'allow' ? undefined : verdict?.category
  return category === undefined ? { check } : { check, category }
}

interface Correction {
  readonly all: Snapshot
  readonly without: Snapshot
  readonly client: Client
  readonly now: number
}

/** undefined: somebody is judged in another way because of it. */
function winnerOverCorrection(
  rule: LocalRule,
  { all, without, client, now }: Correction,
): Found | undefined {
  const target = { host: rule.host, port: 443 }
  const [is, was] = [all, without].map(snapshot =>
    explain(snapshot, client, target, now).find(({ verdict }) => verdict !== undefined),
  )
  if (JSON.stringify(is) !== JSON.stringify(was)) return undefined
  const listed = all.categories(rule.host)
  const [after, before] = [all, without].map(({ rules }) =>
    rules.correct(listed, rule.host, client, now).includes(rule.category ?? ''),
  )
  const contrary = all.rules
    .about(rule.host, client, now)
    .find(other => isCorrection(other) && other.category === rule.category)
  if (after === before) {
    return contrary === undefined || contrary === rule || contrary.action === rule.action
      ? { check: 'already' }
      : { check: contrary.action, rule: contrary }
  }
  const check = is?.check ?? 'default'
  const deciding = all.rules.deciding(rule.host, client, now)
  if (check.startsWith('local-') && deciding !== undefined) return { check, rule: deciding }
  const verdict = is?.verdict
  const category = verdict?.action === 'allow' ? undefined : verdict?.category
  return category === undefined ? { check } : { check, category }
}

/** Whether those whom a grant concerns may pass where the rule closes the site. */
function beats(
  grant: Grant,
  rule: LocalRule,
  { all, now }: { readonly all: Snapshot; readonly now: number },
): boolean {
  const { scope } = grant
  if (!covered(rule.host, grant.host)) return false
  if (rule.site !== undefined && 'site' in scope && scope.site !== rule.site) return false
  const client: Client = {
    ip: scope.kind === 'pc' ? scope.ip : NOBODY,
    site: rule.site ?? ('site' in scope ? scope.site : ANY_SCHOOL),
    siteName: '',
    room: scope.kind === 'room' ? scope.room : '',
    profile: [...all.profiles.keys()][0] ?? '',
  }
  const opened = { ...all, grants: compileGrants([grant], 'approved') }
  const answers = explain(opened, client, { host: rule.host, port: 443 }, now)
  return answers.find(({ verdict }) => verdict !== undefined)?.check === 'grant'
}

const covered = (host: Host, opened: Host): boolean =>
  host === opened || (host.endsWith(`.${opened}`) && !isAddress(host))

function summed(
  found: readonly { readonly client: Client; readonly winner: Found | undefined }[],
  byGrant: readonly Grant[],
): RuleStanding {
  const beaten = found.flatMap(({ client, winner }) =>
    winner === undefined ? [] : [{ client, winner }],
  )
  const isForAll = found.length > 0 && beaten.length === found.length
  const acting = found.filter(({ winner }) => winner === undefined).map(({ client }) => client)
  const byWinner = Map.groupBy(beaten, ({ winner }) => JSON.stringify(winner))
  const winners = [...byWinner.values()].flatMap((same): Winner[] => {
    const [first] = same
    const profiles = isForAll && byWinner.size === 1 ? [] : same.map(({ client }) => client.profile)
    return first === undefined ? [] : [{ ...first.winner, profiles: [...new Set(profiles)] }]
  })
  const opened = byGrant.map((grant): Winner => ({ check: 'grant', grant, profiles: [] }))
  const isOpenForAll = byGrant.some(({ scope }) => acting.every(client => covers(scope, client)))
  if (beaten.length === 0 && opened.length === 0) return ALL_ACT
  const acts = isForAll || isOpenForAll ? 'nowhere' : 'partly'
  return { acts, winners: [...winners, ...opened] }
}
