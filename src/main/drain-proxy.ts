/** The last time of a worker: nothing new is taken, and what is open ends by itself, as far as the time allows. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { ProxyServer } from '../proxy/server.ts'
import { Deadline } from './deadline.ts'

/**
 * A request that was on its way when we stopped is answered, and its connection ended in good order (RFC 9112 §9.6): only
 * what stays silent for so long is closed.
 */
const SILENCE_MS = 1_000
/** What is no relayed exchange ends soon by itself: pages, handshakes, what an origin has still to be asked. */
const PAGES_MS = 3_000
const CHECK_MS = 50

/**
 * Answers the function that drains; its promise resolves when nothing is relayed any more, or when the time is up. A
 * second call may shorten the time. `closePages` ends the pages that follow something live; later ones are answered.
 */
export function drainProxy(
  proxy: ProxyServer,
  closePages: () => PromiseLike<unknown>,
): (drainMs: number) => Promise<void> {
  const deadline = new Deadline()
  let drained: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    const closed = new Promise<void>(resolve => proxy.server.close(() => resolve()))
    proxy.endConnections()
    await Promise.race([closePages(), deadline.isUp])
    await Promise.race([closed, elapsed(SILENCE_MS), deadline.isUp])
    proxy.closeIdle()
    await Promise.race([closed, elapsed(PAGES_MS), deadline.isUp])
    while (proxy.openExchanges > 0 && deadline.leftMs > 0) await elapsed(CHECK_MS)
    deadline.clear()
  }
  return drainMs => {
    deadline.bring(drainMs)
    return (drained ??= drain())
  }
}
