/** Which of the hosts that a city asks for would get another verdict from another version of the lists. */
import type { PageLookup } from './category.ts'
import type { Grant } from './grant.ts'
import { suffixes, type Host, type Target } from './host.ts'
import { ANY_SCHOOL, NOBODY, type Client } from './network.ts'
import type { PolicyDocument } from './policy-document.ts'
import { strictestProfile } from './profile.ts'
import type { Asked, SeenChange } from './rehearsal.ts'
import type { Snapshot } from './snapshot.ts'
import { decide, type Verdict } from './verdict.ts'
import { wrappedSites } from './wrapped-site.ts'

export interface VerdictsQuestion {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly policy: PolicyDocument
  readonly asked: ReadonlyMap<Host, Asked>
  /** In force. */
  readonly grants: readonly Grant[]
  readonly now: number
}

/** The policy without opening hours: an update is judged for the whole week. */
export function withoutHours(policy: PolicyDocument): PolicyDocument {
  return { ...policy, profiles: policy.profiles.map(profile => ({ ...profile, hours: null })) }
}

/** The hosts whose verdict changes for some profile, or for those to whom a grant opens it; most asked first. */
export function compareVerdicts(question: VerdictsQuestion): SeenChange[] {
  const { before, after, policy, asked, grants } = question
  const clients = clientsOf(policy)
  const granted = Map.groupBy(grants, grant => grant.host)
  const grantsOf = (host: Host): Grant[] =>
    [...suffixes(host)].flatMap(name => granted.get(name) ?? [])
  const changes = [...new Set([...asked.keys(), ...granted.keys()])].flatMap(host => {
    const { exchanges, plain } = asked.get(host) ?? { exchanges: 0, plain: 0 }
    const isPlain = plain > 0
    if (listedAs(before, host, isPlain) === listedAs(after, host, isPlain)) return []
    const holders = grantsOf(host).flatMap(grant => holdersOf(grant, policy, before))
    const change = compareHost(question, host, isPlain, [...clients, ...holders])
    return change === undefined
      ? []
      : [{ host, exchanges, isGranted: grantsOf(host).length > 0, ...change }]
  })
  return changes.sort((a, b) => b.exchanges - a.exchanges || (a.host < b.host ? -1 : 1))
}

/** All that the lists say of a host and of what is seen through it: the rest of a verdict is the same before and after. */
function listedAs(snapshot: Snapshot, host: Host, isPlain: boolean): string {
  const { categories, pages, hints } = snapshot
  const own = [categories(host), pages(host, undefined), isPlain ? hints(host) : []].join(';')
  const inside = wrappedSites({ host, port: TLS_PORT })
  return [own, ...inside.map(site => listedAs(snapshot, site.host, false))].join('|')
}

const TLS_PORT = 443
const RANK = { allow: 0, warn: 1, block: 2 } as const
const EFFECTS = ['closes', 'opens', 'warns'] as const

/** A host counts for what becomes of all of it; where nothing does, for what becomes of its listed pages. */
function compareHost(
  { before, after, now }: VerdictsQuestion,
  host: Host,
  isPlain: boolean,
  clients: readonly Client[],
): Omit<SeenChange, 'host' | 'exchanges' | 'isGranted'> | undefined {
  const tunnel = { host, port: TLS_PORT }
  const whole = compareTarget(before, after, tunnel, clients, now)
  if (whole !== undefined || !isPlain) return whole
  const page = { host, port: 80, path: '/' }
  const change = compareTarget(withPages(before), withPages(after), page, clients, now)
  return change && { ...change, listed: 'page' }
}

/** As if the page asked for were in all the categories in which some page of the host is listed: the log keeps no paths. */
function withPages(snapshot: Snapshot): Snapshot {
  const pages: PageLookup = (host, path) => [...snapshot.pages(host, path), ...snapshot.hints(host)]
  return { ...snapshot, pages }
}

function compareTarget(
  before: Snapshot,
  after: Snapshot,
  target: Target,
  clients: readonly Client[],
  now: number,
): Omit<SeenChange, 'host' | 'exchanges' | 'isGranted'> | undefined {
  const compared = clients.flatMap(client => {
    const was = decide(before, client, target, now)
    const is = decide(after, client, target, now)
    const effect = effectOf(was, is)
    return effect === undefined ? [] : [{ client, was, is, effect }]
  })
  const first = EFFECTS.map(effect => compared.filter(one => one.effect === effect)).find(
    found => found.length > 0,
  )
  const [head] = first ?? []
  if (first === undefined || head === undefined) return undefined
  const decisive = head.effect === 'opens' ? head.was : head.is
  const category = decisive.action === 'allow' ? undefined : decisive.category
  const sites = [...new Set(first.map(({ client }) => client.site))]
  return {
    effect: head.effect,
    profiles: [...new Set(first.map(({ client }) => client.profile))],
    ...(sites.includes(ANY_SCHOOL) ? {} : { sites }),
    ...(category === undefined ? {} : { category }),
  }
}

function effectOf(was: Verdict, is: Verdict): SeenChange['effect'] | undefined {
  if (RANK[is.action] > RANK[was.action]) return is.action === 'block' ? 'closes' : 'warns'
  return RANK[is.action] < RANK[was.action] ? 'opens' : undefined
}

/** One PC of no school per profile that some PC has, then one of each school that has rules of its own. */
function clientsOf(policy: PolicyDocument): Client[] {
  const used = policy.sites.flatMap(site => site.rooms.map(room => room.profile))
  const anywhere = [...new Set([...used, strictestProfile(policy)])].map(profile => ({
    ip: NOBODY,
    site: ANY_SCHOOL,
    siteName: '',
    room: '',
    profile,
  }))
  const own = new Set(policy.rules.flatMap(({ site }) => site ?? []))
  const withRules = policy.sites.filter(({ uai }) => own.has(uai))
  return [...anywhere, ...withRules.flatMap(site => onePerProfile(site, site.rooms))]
}

type School = PolicyDocument['sites'][number]

function onePerProfile({ uai, name }: School, rooms: School['rooms']): Client[] {
  const byProfile = new Map(rooms.map(room => [room.profile, room]))
  return [...byProfile.values()].map(room => ({
    ip: NOBODY,
    site: uai,
    siteName: name,
    room: room.name,
    profile: room.profile,
  }))
}

/** PCs that a grant concerns. */
function holdersOf({ scope }: Grant, policy: PolicyDocument, snapshot: Snapshot): Client[] {
  if (scope.kind === 'pc') return [snapshot.networks(scope.ip)]
  const site =
    scope.kind === 'city' ? undefined : policy.sites.find(({ uai }) => uai === scope.site)
  if (site === undefined || scope.kind === 'city') return []
  return scope.kind === 'site'
    ? onePerProfile(site, site.rooms)
    : onePerProfile(
        site,
        site.rooms.filter(({ name }) => name === scope.room),
      )
}
