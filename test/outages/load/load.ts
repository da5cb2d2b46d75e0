/** Everybody at work at once: visits, tunnels, clicks and decisions, small enough for a machine of two cores. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { City } from '../city.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { Origin } from '../sites.ts'
import type { Stage } from '../stage.ts'
import { Desk } from './desk.ts'
import { liveOnce, type LifeDeps } from './lives.ts'
import { keepTunnel, type TunnelFigures } from './tunnels.ts'
import { visitAllDay } from './visits.ts'
import { Watch } from './watch.ts'

export interface Load extends LifeDeps {
  readonly tunnels: TunnelFigures
  /** Hosts that nobody has asked for yet. */
  nextHost(): string | undefined
  /** Resolves when everybody has gone home. */
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly visitors?: number
  readonly tunnels?: number
  readonly lives?: number
  /** Between two visits of a PC, and between two wishes. */
  readonly pauseMs?: number
}

export async function startLoad(
  stage: Stage,
  city: City,
  origin: Origin,
  { visitors = 6, tunnels: held = 12, lives = 3, pauseMs = 60 }: LoadOptions = {},
): Promise<Load> {
  const home = new AbortController()
  const hosts = city.refused.values()
  const desk = new Desk(city.ports.admin)
  await desk.setUp(city.setupUrl)
  const tunnels: TunnelFigures = { opened: 0, endedWithProcess: 0, bytes: 0 }
  const deps = {
    proxyPort: city.ports.proxy,
    origin,
    watch: new Watch(),
    ledger: new Ledger(),
    desk,
    isOver: () => home.signal.aborted,
  }
  const nextHost = (): string | undefined => hosts.next().value
  let turns = 0
  const keepWishing = async (): Promise<void> => {
    while (!home.signal.aborted) {
      const host = nextHost()
      if (host === undefined) return
      await liveOnce(deps, host, turns++)
      await elapsed(pauseMs * 5)
    }
  }
  const everybody = [
    ...Array.from({ length: visitors }, (_, i) =>
      visitAllDay(deps, `127.0.2.${i + 1}`, pauseMs, deps.isOver),
    ),
    ...Array.from({ length: held }, (_, i) =>
      keepTunnel(deps, `127.0.6.${i + 1}`, tunnels, deps.isOver),
    ),
    ...Array.from({ length: lives }, keepWishing),
  ]
  const stop = async (): Promise<void> => {
    home.abort()
    await Promise.all(everybody)
  }
  stage.onEnd(stop)
  return {
    ...deps,
    tunnels,
    nextHost,
    stop,
  }
}
