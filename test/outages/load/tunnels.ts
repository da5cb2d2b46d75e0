/** Long-lived tunnels with bytes of their own, both ways; one that breaks without its process, or lies, is a fault. */
import type { Socket } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import { ALLOWED } from '../sites.ts'
import { openTunnel, PATIENCE_MS } from './ask.ts'
import type { VisitDeps } from './visits.ts'

const WORDS_MS = 250
const BYTES = 2_048

export interface TunnelFigures {
  opened: number
  /** Ended because the process that held them ended. */
  endedWithProcess: number
  bytes: number
}

/** Keeps one tunnel open until `isOver`, and opens it anew whenever it has ended. */
export async function keepTunnel(
  deps: VisitDeps,
  ip: string,
  figures: TunnelFigures,
  isOver: () => boolean,
): Promise<void> {
  const { proxyPort, origin, watch } = deps
  while (!isOver()) {
    const target = `${ALLOWED[0]}:${origin.echoPort}`
    const tunnel = await openTunnel(proxyPort, target, ip)
    if (tunnel.kind === 'trouble' || tunnel.status !== 200) {
      if (tunnel.kind === 'trouble') watch.unanswered('failed', `CONNECT ${target}`, tunnel)
      else watch.fault('failed', `CONNECT ${target}: ${tunnel.status}`)
      await elapsed(WORDS_MS)
      continue
    }
    figures.opened += 1
    const trouble = await talk(tunnel.socket, ip, figures, isOver)
    tunnel.socket.destroy()
    if (trouble === undefined) continue
    if (watch.isExpected(tunnel.from)) figures.endedWithProcess += 1
    else watch.fault('bytes', `a tunnel that was open ${trouble} (${tunnel.from})`)
  }
}

/** Answers what went wrong; undefined at the end of the scenario. */
async function talk(
  socket: Socket,
  ip: string,
  figures: TunnelFigures,
  isOver: () => boolean,
): Promise<string | undefined> {
  let heard = ''
  let trouble: string | undefined
  let wake = (): void => undefined
  const end = (text: string): void => {
    trouble ??= text
    wake()
  }
  socket.on('error', error => end(`broke: ${error.message}`))
  socket.on('close', () => end('was closed'))
  socket.on('data', chunk => {
    heard += chunk.toString('latin1')
    wake()
  })
  socket.resume()
  for (let turn = 0; !isOver(); turn++) {
    const word = wordOf(ip, turn)
    heard = ''
    socket.write(word)
    const until = performance.now() + PATIENCE_MS
    while (heard.length < word.length && trouble === undefined) {
      if (performance.now() > until) return 'fell silent'
      await Promise.race([new Promise<void>(resolve => (wake = resolve)), elapsed(PATIENCE_MS)])
    }
    if (trouble !== undefined) return trouble
    if (heard !== word) return 'changed its bytes'
    figures.bytes += 2 * word.length
    await elapsed(WORDS_MS)
  }
  return undefined
}

const wordOf = (ip: string, turn: number): string =>
  `${ip} ${turn} `.padEnd(BYTES, '*').slice(0, BYTES)
