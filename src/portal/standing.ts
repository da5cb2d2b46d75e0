/** How the request of a school for a host stands, as the store tells it, and in words for one person. */
import type { Locale } from '../i18n.ts'
import { waitsUntil, type Decision } from '../policy/decision.ts'
import { opensFor, type Grant } from '../policy/grant.ts'
import type { Host } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import type { Refusal } from '../policy/refusal.ts'
import { civilDate } from '../policy/schedule.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { latestKey, MAX_ASKERS, type UnblockRequest } from '../policy/unblock-request.ts'
import { decide } from '../policy/verdict.ts'
import type { Store, Stored } from '../store/store.ts'
import { spoken } from './spoken-time.ts'
import { portalTexts, type PortalTranslate } from './texts.ts'

/** What the store knows: the pointer, the request it names, and the grant of that request once it is approved. */
export interface Latest {
  readonly pointer?: Stored<'latest'>
  readonly request?: Stored<'request'>
  readonly grant?: Grant
}

/** What the card says. `reload`: the site is open, the page may load it; `unavailable`: nobody can tell, and nothing can be asked. */
export interface Standing {
  readonly state: 'none' | 'sent' | 'seen' | 'approved' | 'refused' | 'unavailable'
  readonly text: string
  readonly hint?: string
  /** The same was refused a moment ago: it cannot be asked yet. */
  readonly isTooSoon?: true
  readonly reload?: true
}

/** Reads the latest request of a school for a host. Throws what the store throws. */
export async function readLatest(
  store: Store,
  client: Pick<Client, 'site' | 'ip'>,
  host: Host,
): Promise<Latest> {
  const pointer = await store.get('latest', latestKey(client, host))
  if (pointer === undefined) return {}
  const request = await store.get('request', pointer.body.requestId)
  if (request === undefined) return { pointer }
  const { decision } = request.body
  if (decision?.outcome !== 'approved') return { pointer, request }
  const grant = await store.get('grant', decision.grant)
  return grant === undefined ? { pointer, request } : { pointer, request, grant: grant.body }
}

/** Who reads, and when. */
interface Reader {
  readonly client: Client
  readonly now: number
  readonly timeZone: string
  readonly locale: Locale
}

/**
 * In the words of one reader at one instant (epoch ms); `latest` is undefined where the store does not tell it. The page that loads again is judged by the snapshot, so
 * « accepted » comes with `reload` only once the snapshot in force opens the site.
 */
export function describeStanding(
  latest: Latest | undefined,
  { client: { ip }, target }: Pick<Refusal, 'client' | 'target'>,
  snapshot: Snapshot,
  now: number,
  locale: Locale,
): Standing {
  const t = portalTexts(locale)
  const client = snapshot.networks(ip)
  const reader: Reader = { client, now, timeZone: snapshot.city.timeZone, locale }
  const decision = latest?.request?.body.decision
  if (decide(snapshot, client, target, now).action === 'allow') {
    const text = t(decision?.outcome === 'approved' ? 'state.approved' : 'state.open')
    return { state: 'approved', text, reload: true }
  }
  if (latest === undefined) return describeUnavailable(t)
  const { request, grant } = latest
  if (request === undefined) return { state: 'none', text: '', hint: t('ask.why') }
  switch (decision?.outcome) {
    case 'approved':
      return describeApproved(grant, reader)
    case 'refused':
      return describeRefused(decision, reader)
    default:
      return describePending(request.body, reader)
  }
}

/** A click would be lost, so it is not invited. */
const describeUnavailable = (t: PortalTranslate): Standing => ({
  state: 'unavailable',
  text: t('state.unavailable'),
  hint: t('state.unavailable.hint'),
})

/** Approved and not open here: the new policy is on its way to this process, the opening is over, or it concerns others. */
function describeApproved(grant: Grant | undefined, reader: Reader): Standing {
  const { client, now, locale } = reader
  const t = portalTexts(locale)
  if (grant !== undefined && opensFor(grant, client, now))
    return { state: 'approved', text: t('state.approved') }
  return { state: 'none', text: whyOver(grant, reader), hint: t('ask.over') }
}

/** Who has closed it is the DSI: the page names no person. */
function whyOver(grant: Grant | undefined, reader: Reader): string {
  const t = portalTexts(reader.locale)
  if (grant === undefined) return t('state.over')
  const { endedAt, endedBy, until, scope } = grant
  const isRevoked = endedAt !== undefined && endedBy !== 'system'
  if (isRevoked) return t('state.revoked', { when: timeOf(endedAt, reader) })
  if (until !== null && until <= reader.now)
    return t('state.expired', { when: timeOf(until, reader) })
  return scope.kind === 'room'
    ? t('state.elsewhere.room', { room: scope.room })
    : t('state.elsewhere')
}

function describeRefused(
  decision: Extract<Decision, { outcome: 'refused' }>,
  reader: Reader,
): Standing {
  const t = portalTexts(reader.locale)
  const text = t('state.refused', { reason: decision.reason })
  const until = waitsUntil(decision, reader.now)
  if (until === undefined) return { state: 'refused', text }
  const hint = t('state.refused.wait', { when: timeOf(until, reader) })
  return { state: 'refused', text, hint, isTooSoon: true }
}

function describePending({ at, seenAt, askers }: UnblockRequest, reader: Reader): Standing {
  const t = portalTexts(reader.locale)
  const when = timeOf(at, reader)
  const count = askers.length
  const others = t(count >= MAX_ASKERS ? 'state.waiting.many' : 'state.waiting', { count })
  const hint = count > 1 ? `${others} ${t('state.stay')}` : t('state.stay')
  if (seenAt === undefined) return { state: 'sent', text: t('state.sent', { when }), hint }
  return { state: 'seen', text: t('state.seen', { when, seen: timeOf(seenAt, reader) }), hint }
}

/** « à 10:42 », or with its date when that is another day of the city. */
function timeOf(at: number, { now, timeZone, locale }: Reader): string {
  const t = portalTexts(locale)
  const time = spoken('time', at, timeZone, locale)
  if (civilDate(at, timeZone) === civilDate(now, timeZone)) return t('when.today', { time })
  const date = spoken('date', at, timeZone, locale)
  return t('when.other-day', { date, time })
}
