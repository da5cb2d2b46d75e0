/** The node of a cluster that has our slot dies; its replica takes the slot, and the dead one comes back behind that one. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { addReplica, ownerOf, startCluster, type RedisServer } from '../../support/redis.ts'
import { openCity, type City } from '../city.ts'
import type { Load } from '../load/load.ts'
import { homeOf, type Stage } from '../stage.ts'
import { converge } from './converge.ts'

const PATIENCE_MS = 60_000

export interface ClusterCity {
  readonly city: City
  readonly owner: RedisServer
  readonly replica: RedisServer
}

export async function openClusterCity(stage: Stage): Promise<ClusterCity> {
  const home = homeOf(stage)
  const nodes = await startCluster(home)
  const owner = ownerOf(nodes, '{preau}:seq')
  const replica = await addReplica(home, owner, nodes)
  const store = `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  const city = await openCity(stage, { config: { store, redis: { replicas: 1 } } })
  return { city, owner, replica }
}

/** Answers ms from the death of the node until all works on the other one, replicated again. */
export function failOverCluster(
  load: Load,
  { owner, replica }: Omit<ClusterCity, 'city'>,
): Promise<number> {
  return load.watch.disturb('a failover', async () => {
    const startedAt = performance.now()
    await owner.kill()
    while (!replica.cli('role').startsWith('master')) {
      if (performance.now() > startedAt + PATIENCE_MS) throw new Error('nobody takes the slot')
      await elapsed(50)
    }
    await owner.start()
    await converge(load)
    return performance.now() - startedAt
  })
}
