/** The verdict: one ordered list of checks, the first answer wins. The order of `CHECKS` is the policy. */
import type { CategoryId } from './category.ts'
import type { Grant, GrantId } from './grant.ts'
import { isAddress, type Host, type Target } from './host.ts'
import { UNKNOWN_SITE, type Client } from './network.ts'
import { Question } from './question.ts'
import { OWN_HOST, type Snapshot } from './snapshot.ts'
import { wrappedSites } from './wrapped-site.ts'

export const ALLOW_REASONS = ['grant', 'local-allow', 'default'] as const
export type AllowReason = (typeof ALLOW_REASONS)[number]
export const REFUSAL_REASONS = [
  'own-host',
  'unknown-network',
  'never-grantable',
  'non-public-address',
  'address',
  'local-block',
  'closed-hours',
  'allow-only',
  'blocked-category',
  'warned-category',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

export interface Allow {
  readonly action: 'allow'
  readonly reason: AllowReason
  readonly grant?: GrantId
}
/** `requestable`: a person may ask the DSI to open it. */
export interface Refuse {
  readonly action: 'warn' | 'block'
  readonly reason: RefusalReason
  readonly category?: CategoryId
  /** The category is that of the page, not of its host. */
  readonly listed?: 'page'
  readonly requestable: boolean
}
export type Verdict = Allow | Refuse

export interface Check {
  readonly id: string
  readonly judge: (question: Question) => Verdict | undefined
}

const block = (reason: RefusalReason, requestable: boolean, category?: CategoryId): Refuse =>
  category === undefined
    ? { action: 'block', reason, requestable }
    : { action: 'block', reason, category, requestable }

/** Says so when it is the page that is listed, not its host. */
function of(question: Question, verdict: Refuse): Refuse {
  const { category } = verdict
  const isOfPage = category !== undefined && question.isOfPage(category)
  return isOfPage ? { ...verdict, listed: 'page' } : verdict
}

function ownHost({ target }: Question): Verdict | undefined {
  return target.host === OWN_HOST ? block('own-host', false) : undefined
}

// An address of no school may be anybody's: a proxy that serves all is a way round for all.
function unknownNetwork({ client, snapshot }: Question): Verdict | undefined {
  const isServed = client.site !== UNKNOWN_SITE || snapshot.servesUnknown
  return isServed ? undefined : block('unknown-network', false)
}

function neverGrantable(question: Question): Verdict | undefined {
  const { categories, snapshot } = question
  const category = categories.find(id => snapshot.catalogue.get(id)?.severity === 'never')
  return category === undefined
    ? undefined
    : of(question, block('never-grantable', false, category))
}

function nonPublicAddress({ target, snapshot }: Question): Verdict | undefined {
  if (!isAddress(target.host) || snapshot.addresses(target.host) !== 'non-public') return undefined
  return block('non-public-address', false)
}

/** How many wrappers are looked through; an honest address has one, a page of an archive within another two. */
const MAX_WRAPPERS = 4

/** Wrapped more often than that: whatever is inside, somebody hides it. */
const HIDDEN: Refuse = {
  action: 'block',
  reason: 'blocked-category',
  category: 'redirector',
  listed: 'page',
  requestable: false,
}

/**
 * A translator or an archive opens no site that is refused: only who opens the wrapped name itself does. What opens the
 * whole translator does not, and nothing opens what is never grantable.
 */
function wrappedSite(question: Question): Verdict | undefined {
  const { snapshot, client, target, now, wrappers } = question
  const sites = wrappedSites(target)
  if (sites.length > 0 && wrappers === MAX_WRAPPERS) return HIDDEN
  for (const site of sites) {
    const verdict = firstAnswer(new Question(snapshot, client, site, now, wrappers + 1))
    if (verdict.action === 'allow') continue
    if (verdict.action === 'warn' && isPassedByName(question, verdict)) continue
    if (site.path === undefined) {
      if (verdict.reason === 'never-grantable' || !question.isOpenedByName) return verdict
      // Opening the host would open all that it shows, so that cannot be asked for; a warning could never be passed.
    } else if (verdict.action === 'block') return { ...verdict, requestable: false }
  }
  return undefined
}

/**
 * The narrower name wins: who opens a site opens its sub-domains too, but none that a rule or a list closes by a name of its own,
 * unless the DSI was told of it and opens them all the same.
 */
function narrowerBlock(question: Question): Verdict | undefined {
  const { grant, target } = question
  // What is opened by its own name needs no look at its rules.
  if (grant?.host === target.host || grant?.opensNarrower === true) return undefined
  const { rule } = question
  const opened = narrowest(grant?.host, rule?.action === 'allow' ? rule.host : undefined)
  if (opened === undefined || opened === target.host) return undefined
  if (rule?.action === 'block' && rule.host.length > opened.length)
    return block('local-block', true)
  const { categories, profile } = question
  const blocked = categories.filter(id => profile.blocked.has(id))
  if (blocked.length === 0) return undefined
  const ofOpened = new Set(question.categoriesOf(opened))
  const category = blocked.find(id => !ofOpened.has(id) && !question.isOfPage(id))
  return category === undefined ? undefined : block('blocked-category', true, category)
}

/** Of two names that a host ends with. */
function narrowest(one: Host | undefined, other: Host | undefined): Host | undefined {
  return (one?.length ?? 0) >= (other?.length ?? 0) ? one : other
}

function granted({ grant }: Question): Verdict | undefined {
  return grant && { action: 'allow', reason: 'grant', grant: grant.id }
}

function localAllow({ rule }: Question): Verdict | undefined {
  return rule?.action === 'allow' ? { action: 'allow', reason: 'local-allow' } : undefined
}

function localBlock({ rule }: Question): Verdict | undefined {
  return rule?.action === 'block' ? block('local-block', true) : undefined
}

function closedHours({ profile, now }: Question): Verdict | undefined {
  return profile.openingAt(now).isOpen ? undefined : block('closed-hours', true)
}

// An address in place of a name escapes every list of names. One that the city permits itself (`dial.allow`) does not.
function addressForName({ target, profile, snapshot }: Question): Verdict | undefined {
  if (profile.addresses === 'allow' || !isAddress(target.host)) return undefined
  return snapshot.addresses(target.host) === 'permitted' ? undefined : block('address', true)
}

function allowOnly({ profile }: Question): Verdict | undefined {
  return profile.mode === 'allow-only' ? block('allow-only', true) : undefined
}

function blockedCategory(question: Question): Verdict | undefined {
  const { categories, profile } = question
  const category = categories.find(id => profile.blocked.has(id))
  return category === undefined
    ? undefined
    : of(question, block('blocked-category', true, category))
}

function warnedCategory(question: Question): Verdict | undefined {
  const { categories, profile } = question
  if (!categories.some(id => profile.warned.has(id))) return undefined
  const { warned, passed } = question
  const category = passed === undefined ? warned[0] : warned.find(id => !isPassed(passed, id))
  if (category === undefined) return { action: 'allow', reason: 'grant', ...idOf(passed) }
  return of(question, { action: 'warn', reason: 'warned-category', category, requestable: false })
}

/** Whether the warning was read for the wrapped name itself, and not for all that its wrapper shows. */
const isPassedByName = (question: Question, { category }: Refuse): boolean =>
  category !== undefined &&
  question.passed !== undefined &&
  question.isPassedByName &&
  isPassed(question.passed, category)

const isPassed = (passed: Grant, category: CategoryId): boolean =>
  passed.categories?.includes(category) !== false

const idOf = (grant: Grant | undefined): Pick<Allow, 'grant'> =>
  grant === undefined ? {} : { grant: grant.id }

const DEFAULT: Allow = { action: 'allow', reason: 'default' }

/** The policy, in order. `preau check` prints it. */
export const CHECKS: readonly Check[] = [
  { id: 'own-host', judge: ownHost },
  { id: 'unknown-network', judge: unknownNetwork },
  { id: 'never-grantable', judge: neverGrantable },
  { id: 'non-public-address', judge: nonPublicAddress },
  { id: 'wrapped-site', judge: wrappedSite },
  { id: 'narrower-block', judge: narrowerBlock },
  { id: 'grant', judge: granted },
  { id: 'local-allow', judge: localAllow },
  { id: 'local-block', judge: localBlock },
  { id: 'closed-hours', judge: closedHours },
  { id: 'address', judge: addressForName },
  { id: 'allow-only', judge: allowOnly },
  { id: 'blocked-category', judge: blockedCategory },
  { id: 'warned-category', judge: warnedCategory },
]

/** Judges one target for one client at one instant (epoch ms). Pure: the same arguments always give the same verdict. */
export function decide(snapshot: Snapshot, client: Client, target: Target, now: number): Verdict {
  return firstAnswer(new Question(snapshot, client, target, now))
}

function firstAnswer(question: Question): Verdict {
  for (const check of CHECKS) {
    const verdict = check.judge(question)
    if (verdict !== undefined) return verdict
  }
  return DEFAULT
}

export interface Answer {
  readonly check: string
  readonly verdict: Verdict | undefined
}

/** Every check with its own answer, also those after the first that answered. The first answer is what `decide` says. */
export function explain(snapshot: Snapshot, client: Client, target: Target, now: number): Answer[] {
  const question = new Question(snapshot, client, target, now)
  const answers = CHECKS.map(({ id, judge }): Answer => ({ check: id, verdict: judge(question) }))
  return [...answers, { check: 'default', verdict: DEFAULT }]
}
