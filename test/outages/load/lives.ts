/**
 * The life of a wish, over and over: a pupil clicks, the DSI decides, the page opens, the DSI closes it again. Each step
 * is repeated until it is acknowledged, and goes into the ledger then; what Préau answered meanwhile is counted.
 */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Counts, Ledger } from '../ledger/ledger.ts'
import type { Origin } from '../sites.ts'
import { ask, type Answer, type Trouble } from './ask.ts'
import type { Act, Desk } from './desk.ts'
import { standingOf } from './visits.ts'
import type { Watch } from './watch.ts'

export interface LifeDeps {
  readonly proxyPort: number
  readonly origin: Origin
  readonly watch: Watch
  readonly ledger: Ledger
  readonly desk: Desk
  readonly isOver: () => boolean
}

const RETRY_MS = 300
/** How long a decision may take to be in force everywhere while all is well (the README promises less than a second). */
const EFFECT_MS = 5_000
/** In a row, so that every worker has been asked. */
const SURE = 4

/** `turn` chooses what happens: every fifth is refused, of the others two in three are closed again. */
export async function liveOnce(deps: LifeDeps, host: string, turn: number): Promise<void> {
  const ips = turn % 3 === 0 ? ['127.0.4.1', '127.0.4.2'] : [`127.0.4.${(turn % 200) + 1}`]
  await Promise.all(ips.map(ip => click(deps, host, ip)))
  const requestId = await findId(deps, host, () => deps.desk.pending())
  if (requestId === undefined) return
  if (turn % 5 === 4) {
    await decide(deps, { requestId, host, outcome: 'refused' }, { reason: 'no' })
    return
  }
  const choice = { scope: 'site', duration: 'day' }
  await decide(deps, { requestId, host, outcome: 'approved' }, choice)
  await takesEffect(deps, host, 'open')
  if (turn % 3 === 1) return
  const grantId = await findId(deps, host, () => deps.desk.grants())
  if (grantId === undefined) return
  await revoke(deps, grantId, host)
  await takesEffect(deps, host, 'refused')
}

/** One click until it is acknowledged. */
export async function click(deps: LifeDeps, host: string, ip: string): Promise<void> {
  while (!deps.isOver() && !(await clickOnce(deps, host, ip))) await elapsed(RETRY_MS)
}

/** Answers whether it was acknowledged; what it was told goes into the ledger. */
export async function clickOnce(
  { ledger, watch, proxyPort }: LifeDeps,
  host: string,
  ip: string,
): Promise<boolean> {
  const answer = await ask({
    port: proxyPort,
    path: `http://${host}/.preau/unblock`,
    method: 'POST',
    from: ip,
    headers: { accept: 'application/json' },
    form: {},
  })
  const state = stateIn(answer)
  if (state === undefined) {
    count(ledger.clicking, answer, watch, `click for ${host}`, 'click')
    return false
  }
  ledger.clicking.acknowledged += 1
  ledger.clicks.push({ host, ip, state })
  return true
}

function stateIn(answer: Answer | Trouble): string | undefined {
  if (answer.kind === 'trouble' || answer.status !== 200) return undefined
  try {
    return String((JSON.parse(answer.body) as { state: unknown }).state)
  } catch {
    return undefined
  }
}

/** Whether it says in words that it cannot be done now. */
function isHonest({ status, body, headers }: Answer): boolean {
  const isJson = headers['content-type']?.startsWith('application/json') ?? false
  return status === 503 && isJson && /"text":"[^"]{10}/.test(body)
}

function count(
  counts: Counts,
  answer: Answer | Trouble,
  watch: Watch,
  what: string,
  kind: 'click' | 'decision',
): void {
  if (answer.kind === 'answer') {
    if (isHonest(answer)) counts.refusedHonestly += 1
    else {
      counts.broken += 1
      watch.fault(kind, `${what}: ${answer.status} ${answer.body.slice(0, 80)}`)
    }
    return
  }
  if (answer.isHung) counts.hung += 1
  else counts.cut += 1
  const isBelievable = watch.isExpected(answer.from) || (kind === 'decision' && watch.mayBeAway)
  if (answer.isHung || !isBelievable) watch.unanswered(kind, what, answer)
}

/** The id under which the page of the DSI shows this host. */
async function findId(
  deps: LifeDeps,
  host: string,
  look: () => Promise<ReadonlyMap<string, string> | Act>,
): Promise<string | undefined> {
  while (!deps.isOver()) {
    const seen = await look()
    if ('told' in seen) await recover(deps, seen)
    else if (seen.has(host)) return seen.get(host)
    await elapsed(RETRY_MS)
  }
  return undefined
}

async function recover({ desk, isOver }: LifeDeps, { told }: Act): Promise<void> {
  if (told === 'signedOut') await desk.signIn(isOver)
}

async function decide(
  deps: LifeDeps,
  decision: { requestId: string; host: string; outcome: 'approved' | 'refused' },
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const { requestId, host, outcome } = decision
  const verb = outcome === 'approved' ? 'approve' : 'refuse'
  let isUnsure = false
  while (!deps.isOver()) {
    const act = await deps.desk.post(`/requests/${requestId}/${verb}`, fields)
    // Nobody else decides here: it was our own earlier try, whose answer was lost.
    const isOurs = act.told === 'alreadyDecided' && isUnsure && isByUs(act)
    if (act.told === 'done' || isOurs) {
      deps.ledger.deciding.acknowledged += 1
      deps.ledger.decisions.push({ requestId, host, outcome })
      return
    }
    isUnsure ||= act.told === 'trouble' || act.told === 'unavailable'
    await recover(deps, act)
    if (act.told !== 'signedOut')
      count(deps.ledger.deciding, act.answer, deps.watch, `${verb} ${host}`, 'decision')
    await elapsed(RETRY_MS)
  }
}

const isByUs = ({ answer }: Act): boolean =>
  answer.kind === 'answer' && answer.body.includes('PREAU_ALREADY_DECIDED')

async function revoke(deps: LifeDeps, grantId: string, host: string): Promise<void> {
  while (!deps.isOver()) {
    const act = await deps.desk.post(`/grants/${grantId}/revoke`)
    if (act.told === 'done') {
      deps.ledger.deciding.acknowledged += 1
      deps.ledger.revoked.push({ grantId, host })
      return
    }
    await recover(deps, act)
    if (act.told !== 'signedOut')
      count(deps.ledger.deciding, act.answer, deps.watch, `revoke ${host}`, 'decision')
    await elapsed(RETRY_MS)
  }
}

/** Waits until every worker opens or refuses the host; too slow while all is well is a wrong verdict. */
export async function takesEffect(
  { proxyPort, origin, watch, isOver }: Omit<LifeDeps, 'ledger' | 'desk'>,
  host: string,
  wanted: 'open' | 'refused',
): Promise<number> {
  const startedAt = performance.now()
  let isTold = false
  for (let sure = 0; sure < SURE && !isOver();) {
    const path = `http://${host}:${origin.httpPort}/`
    const answer = await ask({ port: proxyPort, path, from: '127.0.5.1' })
    if (answer.kind === 'answer' && standingOf(answer) === wanted) {
      sure += 1
      continue
    }
    sure = 0
    const ms = performance.now() - startedAt
    if (!isTold && ms > EFFECT_MS && watch.isCalmFor(EFFECT_MS)) {
      watch.fault('wrong', `${host} is not ${wanted} ${Math.round(ms)} ms after it was decided`)
      isTold = true
    }
    await elapsed(50)
  }
  const ms = performance.now() - startedAt
  if (watch.isCalmFor(EFFECT_MS)) watch.effect.record(Math.max(1, Math.round(ms)))
  return ms
}
