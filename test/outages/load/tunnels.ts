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
  for (let turn = 0; !isOver(); turn++) {
    const word = wordOf(ip, turn)
    const trouble = await sayAndHear(socket, word)
    if (trouble !== undefined) return trouble
    figures.bytes += 2 * word.length
    await elapsed(WORDS_MS)
  }
  return undefined
}

function sayAndHear(socket: Socket, word: string): Promise<string | undefined> {
  return new Promise(resolve => {
    let heard = ''
    const end = (trouble?: string): void => {
      clearTimeout(timer)
      socket.off('error', onError).off('close', onClose).off('data', onData).on('error', ignore)
      resolve(trouble)
    }
    const timer = setTimeout(() => end('fell silent'), PATIENCE_MS)
    const onError = (error: Error): void => end(`broke: ${error.message}`)
    const onClose = (): void => end('was closed')
    const onData = (chunk: Buffer): void => {
      heard += chunk.toString('latin1')
      if (heard.length >= word.length) end(heard === word ? undefined : 'changed its bytes')
    }
    if (socket.destroyed) return end('was closed')
    socket
      .off('error', ignore)
      .on('error', onError)
      .on('close', onClose)
      .on('data', onData)
      .resume()
    socket.write(word)
  })
}

const ignore = (): void => undefined

const wordOf = (ip: string, turn: number): string =>
  `${ip} ${turn} `.padEnd(BYTES, '*').slice(0, BYTES)
