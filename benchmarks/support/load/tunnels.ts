/** CONNECT, a small GET, close: so many at a time, or so many a second. */
import { SHORT_ANSWER } from '../bytes.ts'
import { connectThrough } from './connect-through.ts'
import { repeat, type Aim, type Figures } from './figures.ts'

const GET = 'GET / HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n'

/** One tunnel; rejects unless the very answer of the origin comes back. */
function tunnel(aim: Aim & { localAddress?: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    connectThrough({
      ...aim,
      onOpen: opened => {
        opened.listen(bytes => {
          if (bytes.compare(SHORT_ANSWER, seen, seen + bytes.length) !== 0)
            throw new Error(`not the answer of the origin: ${bytes.toString('latin1', 0, 200)}`)
          seen += bytes.length
          // Also where the proxy would not: e2guardian waits for a next request.
          if (seen === SHORT_ANSWER.length) opened.socket.end()
        })
        opened.socket.write(GET)
      },
      onClose: failure => {
        if (failure === undefined && seen === SHORT_ANSWER.length) resolve()
        else reject(failure ?? new Error(`closed after ${seen} bytes of the answer`))
      },
    })
  })
}

export function tunnels(order: Aim & { count: number; atOnce: number }): Promise<Figures> {
  return repeat(order.count, order.atOnce, () => tunnel(order))
}

const TICK_MS = 10
// As many PCs: one pair of addresses has too few ports for half a million connections.
const SOURCES = 8

/** New tunnels at a steady pace, however long each of them takes; tells how many failed, and why the last one did. */
export async function paced(
  order: Aim & { perSecond: number; seconds: number },
): Promise<Figures & { readonly failures: number; readonly why: string }> {
  const { perSecond, seconds, ...aim } = order
  const started = performance.now()
  const durations: number[] = []
  const running = new Set<Promise<void>>()
  let [begun, failures, why] = [0, 0, '']
  const begin = (): void => {
    const before = performance.now()
    const work = tunnel({ ...aim, localAddress: `127.0.0.${1 + (begun++ % SOURCES)}` })
      .then(
        () => void durations.push(performance.now() - before),
        (error: unknown) => {
          failures++
          why = String(error)
        },
      )
      .finally(() => running.delete(work))
    running.add(work)
  }
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const elapsed = Math.min(seconds, (performance.now() - started) / 1_000)
      for (let due = Math.ceil(elapsed * perSecond) - begun; due > 0; due--) begin()
      if (elapsed < seconds) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  await Promise.all(running)
  const sorted = durations.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  const elapsed = (performance.now() - started) / 1_000
  return { count: sorted.length, seconds: elapsed, p50: at(0.5), p99: at(0.99), failures, why }
}
