/** PCs that look at pages all day: plain and CONNECT, allowed and refused; every verdict is compared with the policy. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { ALLOWED, PAGE, type Origin } from '../sites.ts'
import { ask, exchange, openTunnel, type OpenTunnel } from './ask.ts'
import type { Watch } from './watch.ts'

/** Part of every block page that may be asked about. */
const BLOCK_PAGE = '/.preau/unblock'

export interface VisitDeps {
  readonly proxyPort: number
  readonly origin: Origin
  readonly watch: Watch
}

/** Hosts that stay refused for the whole scenario. */
const ALWAYS_REFUSED = ['www.miniclip.com', 'www.jeux.fr']

/** One PC until `isOver`. */
export async function visitAllDay(
  deps: VisitDeps,
  ip: string,
  pauseMs: number,
  isOver: () => boolean,
): Promise<void> {
  const turns = [plainAllowed, plainRefused, tunnelAllowed, tunnelRefused]
  for (let turn = 0; !isOver(); turn++) {
    const host = turns.length * 2
    await turns[turn % turns.length]?.(deps, ip, Math.floor(turn / host))
    await elapsed(pauseMs)
  }
}

async function plainAllowed(deps: VisitDeps, ip: string, turn: number): Promise<void> {
  const host = ALLOWED[turn % ALLOWED.length] ?? ''
  await lookAt(deps, ip, host, 'open')
}

async function plainRefused(deps: VisitDeps, ip: string, turn: number): Promise<void> {
  await lookAt(deps, ip, ALWAYS_REFUSED[turn % ALWAYS_REFUSED.length] ?? '', 'refused')
}

async function lookAt(
  { proxyPort, origin, watch }: VisitDeps,
  ip: string,
  host: string,
  expected: 'open' | 'refused',
): Promise<void> {
  const path = `http://${host}${expected === 'open' ? `:${origin.httpPort}` : ''}/`
  const answer = await ask({ port: proxyPort, path, from: ip })
  if (answer.kind === 'trouble') return watch.unanswered('failed', `GET ${path}`, answer)
  const seen = standingOf(answer)
  if (seen === expected) return watch.verdict(answer.ms)
  const kind = seen === 'other' ? 'failed' : 'wrong'
  watch.fault(kind, `GET ${path}: ${answer.status}, ${seen} where ${expected} is right`)
}

/** What an answer says about a host. */
export function standingOf(answer: { status: number; body: string }): 'open' | 'refused' | 'other' {
  if (answer.status === 200 && answer.body === PAGE) return 'open'
  return answer.status === 403 && answer.body.includes(BLOCK_PAGE) ? 'refused' : 'other'
}

async function tunnelAllowed(
  { proxyPort, origin, watch }: VisitDeps,
  ip: string,
  turn: number,
): Promise<void> {
  const target = `${ALLOWED[turn % ALLOWED.length]}:${origin.echoPort}`
  const tunnel = await openTunnel(proxyPort, target, ip)
  if (tunnel.kind === 'trouble') return watch.unanswered('failed', `CONNECT ${target}`, tunnel)
  const word = `${ip} says ${turn}\n`
  const heard = tunnel.status === 200 ? await exchange(tunnel.socket, word, word) : undefined
  tunnel.socket.destroy()
  if (heard === word) return watch.verdict(tunnel.ms)
  tellBroken(watch, target, tunnel, heard)
}

async function tunnelRefused(
  { proxyPort, watch }: VisitDeps,
  ip: string,
  turn: number,
): Promise<void> {
  const target = `${ALWAYS_REFUSED[turn % ALWAYS_REFUSED.length]}:443`
  const tunnel = await openTunnel(proxyPort, target, ip)
  if (tunnel.kind === 'trouble') return watch.unanswered('failed', `CONNECT ${target}`, tunnel)
  // What is no TLS is refused in clear, since the page could not be shown.
  const heard = await exchange(tunnel.socket, 'no TLS\r\n\r\n', '\r\n\r\n')
  tunnel.socket.destroy()
  if (heard?.startsWith('HTTP/1.1 403 ')) return watch.verdict(tunnel.ms)
  tellBroken(watch, target, tunnel, heard)
}

/** Silence and the end of the connection are no answer; any byte that should not have come is a fault. */
function tellBroken(
  watch: Watch,
  target: string,
  { status, from, ms }: OpenTunnel,
  heard: string | undefined,
): void {
  const what = `CONNECT ${target}: ${status}`
  const isHung = heard === undefined
  if (status === 200 && (isHung || heard === ''))
    watch.unanswered('failed', what, {
      kind: 'trouble',
      code: isHung ? 'HUNG' : 'CLOSED',
      isHung,
      ms,
      from,
    })
  else watch.fault('failed', `${what}, then ${JSON.stringify(heard?.slice(0, 60))}`)
}
