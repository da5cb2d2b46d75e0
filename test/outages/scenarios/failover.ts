/**
 * The Redis that is written dies, or hangs long enough to be taken for dead; the sentinel makes a replica the next, and the
 * other one comes back behind that one. A change is acknowledged once all replicas have it (`redis.replicas`), so nothing is
 * missing.
 */
import { setTimeout as elapsed } from 'node:timers/promises'
import { startRedis, startReplica, startSentinel, type RedisServer } from '../../support/redis.ts'
import { openCity, type City, type CityOptions } from '../city.ts'
import type { Load } from '../load/load.ts'
import { homeOf, type Stage } from '../stage.ts'
import { converge } from './converge.ts'

const PATIENCE_MS = 60_000

export interface ReplicatedCity {
  readonly city: City
  readonly servers: readonly RedisServer[]
  readonly sentinel: RedisServer
}

export async function openReplicatedCity(
  stage: Stage,
  options: CityOptions = {},
  count = 1,
): Promise<ReplicatedCity> {
  const home = homeOf(stage)
  const master = await startRedis(home)
  const replicas: RedisServer[] = []
  while (replicas.length < count) replicas.push(await startReplica(home, master))
  const sentinel = await startSentinel(home, master, replicas)
  // Half a second of silence is nothing unusual on a busy machine, and a choice made in error may cost data.
  sentinel.cli('sentinel', 'set', 'preau', 'down-after-milliseconds', '2000')
  const config = {
    ...options.config,
    store: `redis-sentinel://127.0.0.1:${sentinel.port}/0#preau`,
    // On a busy machine a replica may be slow, too.
    redis: { replicas: count, commandTimeoutMs: 6_000 },
  }
  await untilKnown(sentinel, replicas)
  const city = await openCity(stage, { ...options, config })
  return { city, servers: [master, ...replicas], sentinel }
}

/** Answers ms from the death of the master until all works on another one, all replicated again. */
export function failOver(
  load: Load,
  redis: Omit<ReplicatedCity, 'city'>,
  how: 'dies' | 'hangs' = 'dies',
): Promise<number> {
  const { servers, sentinel } = redis
  const port = masterOf(sentinel)
  const master = servers.find(server => server.port === port)
  if (master === undefined) throw new TypeError('the master is one of them')
  const others = servers.filter(server => server !== master)
  return load.watch.disturb('a failover', async () => {
    // Before it has asked the master who follows it, which it does every ten seconds, it has nobody to choose.
    await untilKnown(sentinel, others)
    const startedAt = performance.now()
    if (how === 'dies') await master.kill()
    else master.pause()
    await until('a replica is made the master', () => others.some(isMaster))
    // From here on there are two of them, until the sentinel has told all.
    if (how === 'hangs') master.resume()
    await until('the sentinel says so', () => masterOf(sentinel) !== port)
    if (how === 'dies') await master.start({ replicaof: `127.0.0.1 ${masterOf(sentinel)}` })
    await converge(load)
    return performance.now() - startedAt
  })
}

/** One that becomes a master ends the connections of its clients. */
function isMaster(server: RedisServer): boolean {
  try {
    return server.cli('role').startsWith('master')
  } catch {
    return false
  }
}

function masterOf(sentinel: RedisServer): number {
  const answer = sentinel.cli('sentinel', 'get-master-addr-by-name', 'preau')
  return Number(answer.split('\n')[1])
}

async function untilKnown(sentinel: RedisServer, replicas: readonly RedisServer[]): Promise<void> {
  await until('the sentinel knows the replicas', () => {
    const words = sentinel.cli('sentinel', 'replicas', 'preau').split('\n')
    const valuesOf = (name: string): string[] =>
      words.flatMap((word, i) => (word === name ? [words[i + 1] ?? ''] : []))
    const isWell = replicas.map(({ port }) => {
      const at = valuesOf('port').indexOf(String(port))
      return valuesOf('flags')[at] === 'slave' && valuesOf('master-link-status')[at] === 'ok'
    })
    return !isWell.includes(false)
  })
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await elapsed(50)
  }
}
