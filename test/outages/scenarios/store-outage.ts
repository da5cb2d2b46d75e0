/** The shared store is away for a while, in one of the ways in which a store can be away: the filter decides on, and says honestly what it cannot keep. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { loadConfig } from '../../../src/config.ts'
import type { Grant } from '../../../src/policy/grant.ts'
import type { Host } from '../../../src/policy/host.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { residentBytes } from '../../support/process-state.ts'
import type { RedisServer } from '../../support/redis.ts'
import type { City } from '../city.ts'
import { killWorker } from '../faults/kill.ts'
import type { Shim } from '../faults/shim.ts'
import { ask } from '../load/ask.ts'
import { clickOnce, takesEffect } from '../load/lives.ts'
import type { Load } from '../load/load.ts'
import { standingOf } from '../load/visits.ts'
import { converge } from './converge.ts'

export const AWAY = ['paused', 'killed', 'stopped', 'mute'] as const
export type Away = (typeof AWAY)[number]

export interface StoreOutage {
  readonly how: Away
  /** From the return of the store. */
  readonly convergedMs: number
  /** Of the workers together. */
  readonly grownMegabytes: number
  readonly clicksRefused: number
  /** How a grant whose end came meanwhile stood before, and after its end. */
  readonly expiring: readonly [string, string]
  /** A worker that was killed meanwhile decided again; undefined: none was. */
  readonly workerBackMs: number | undefined
}

export interface OutageOptions {
  readonly how: Away
  readonly lastsMs: number
  readonly isWorkerKilled?: boolean
}

interface Parts {
  readonly city: City
  readonly load: Load
  readonly redis: RedisServer
  readonly shim: Shim
}

export async function takeStoreAway(
  { city, load, redis, shim }: Parts,
  { how, lastsMs, isWorkerKilled = false }: OutageOptions,
): Promise<StoreOutage> {
  const { watch, ledger } = load
  const host = await grantFor(city, load, lastsMs / 2)
  const { workers } = city.processes()
  const memory = (): number => workers.map(residentBytes).reduce((sum, bytes) => sum + bytes, 0)
  const before = { bytes: memory(), refused: ledger.clicking.refusedHonestly }
  const seen = await watch.disturb(`the store is ${how}`, async () => {
    const endsAt = performance.now() + lastsMs
    await begin(how, redis, shim)
    const first = await standing(load, host)
    // Whatever the others are at: one clicks now.
    await clickOnce(load, load.nextHost() ?? '', '127.0.8.2')
    await elapsed(Math.max(0, endsAt - performance.now() - 500))
    const grownMegabytes = (memory() - before.bytes) / 1_048_576
    const last = await standing(load, host)
    const workerBackMs = isWorkerKilled ? await killMeanwhile(city, load, how) : undefined
    return { expiring: [first, last] as const, grownMegabytes, workerBackMs }
  })
  const convergedMs = await watch.disturb(`the store is back (${how})`, async () => {
    await end(how, redis, shim)
    return converge(load)
  })
  const clicksRefused = ledger.clicking.refusedHonestly - before.refused
  return { how, ...seen, convergedMs, clicksRefused }
}

async function killMeanwhile(city: City, { watch }: Load, how: Away): Promise<number> {
  const what = `kill -9 of a worker while the store is ${how}`
  const { backMs } = await watch.disturb(what, () => killWorker(city, watch, 1), true)
  return backMs
}

async function begin(how: Away, redis: RedisServer, shim: Shim): Promise<void> {
  if (how === 'paused') redis.pause()
  else if (how === 'killed') await redis.kill()
  else if (how === 'stopped') await redis.stop()
  else shim.trouble = { kind: 'mute' }
}

async function end(how: Away, redis: RedisServer, shim: Shim): Promise<void> {
  if (how === 'paused') redis.resume()
  else if (how === 'mute') shim.trouble = { kind: 'none' }
  else await redis.start()
}

/** The admin app gives an hour at least: one that ends sooner is written past it. Resolves when it is in force. */
export async function grantFor(city: City, load: Load, ms: number): Promise<string> {
  const host = load.nextHost() ?? ''
  const at = Date.now()
  const grant: Grant = {
    id: crypto.randomUUID(),
    host: host as Host,
    scope: { kind: 'city' },
    origin: 'approved',
    by: 'test',
    at,
    until: at + ms,
  }
  const store = await openStore(loadConfig(city.configFile, {}))
  await store.commit({ by: 'test', action: 'grant.test', at }, [
    { kind: 'grant', id: grant.id, expects: 'absent', body: grant },
  ])
  await store.close()
  await takesEffect(load, host, 'open')
  return host
}

async function standing({ proxyPort, origin }: Load, host: string): Promise<string> {
  const path = `http://${host}:${origin.httpPort}/`
  const answer = await ask({ port: proxyPort, path, from: '127.0.8.2' })
  return answer.kind === 'trouble' ? answer.code : standingOf(answer)
}
