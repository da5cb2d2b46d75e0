/**
 * The Redis that is written dies; the sentinel makes its replica the next, and the dead one comes back behind that one. A
 * change is acknowledged once the replica has it (`redis.replicas` is the number of replicas), so nothing is missing.
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
  readonly servers: readonly [RedisServer, RedisServer]
  readonly sentinel: RedisServer
}

export async function openReplicatedCity(
  stage: Stage,
  options: CityOptions = {},
): Promise<ReplicatedCity> {
  const home = homeOf(stage)
  const master = await startRedis(home)
  const replica = await startReplica(home, master)
  const sentinel = await startSentinel(home, master, replica)
  // Half a second of silence is nothing unusual on a busy machine, and a choice made in error may cost data.
  sentinel.cli('sentinel', 'set', 'preau', 'down-after-milliseconds', '2000')
  const config = {
    ...options.config,
    store: `redis-sentinel://127.0.0.1:${sentinel.port}/0#preau`,
    redis: { replicas: 1 },
  }
  await untilKnown(sentinel, replica)
  const city = await openCity(stage, { ...options, config })
  return { city, servers: [master, replica], sentinel }
}

/** Answers ms from the death of the master until all works on the other one, both replicated again. */
export async function failOver(
  load: Load,
  { servers, sentinel }: Omit<ReplicatedCity, 'city'>,
): Promise<number> {
  const [master, other] = masterOf(sentinel) === servers[0].port ? servers : servers.toReversed()
  if (master === undefined || other === undefined) throw new TypeError('two servers')
  // Before it has asked the master who follows it, which it does every ten seconds, it has nobody to choose.
  await untilKnown(sentinel, other)
  return load.watch.disturb('a failover', async () => {
    const startedAt = performance.now()
    await master.kill()
    await until('the sentinel chooses', () => masterOf(sentinel) === other.port)
    await until('the replica is the master', () => other.cli('role').startsWith('master'))
    await master.start({ replicaof: `127.0.0.1 ${other.port}` })
    await converge(load)
    return performance.now() - startedAt
  })
}

function masterOf(sentinel: RedisServer): number {
  const answer = sentinel.cli('sentinel', 'get-master-addr-by-name', 'preau')
  return Number(answer.split('\n')[1])
}

async function untilKnown(sentinel: RedisServer, replica: RedisServer): Promise<void> {
  await until('the sentinel knows the replica', () => {
    const words = sentinel.cli('sentinel', 'replicas', 'preau').split('\n')
    const value = (name: string): string | undefined => words[words.indexOf(name) + 1]
    return (
      value('port') === String(replica.port) &&
      value('flags') === 'slave' &&
      value('master-link-status') === 'ok'
    )
  })
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await elapsed(50)
  }
}
