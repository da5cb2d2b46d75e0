/** What can be said of an engine without opening its store: its version, and what the data take. */
import { statSync } from 'node:fs'
import { RedisRefusal } from '../redis-error.ts'
import type { Place } from './place.ts'
import { openPlace, type RedisPlace } from './redis-place.ts'

export interface EngineFacts {
  readonly engine: 'SQLite' | 'Redis'
  /** Empty where it may not be asked. */
  readonly version: string
  /** SQLite: the file and its log. Redis: all that it holds in memory, of others too; 0 where it may not be asked. */
  readonly bytes: number
}

/** Throws PREAU_STORE_UNAVAILABLE. */
export async function readFacts(place: Place): Promise<EngineFacts> {
  if (place.engine === 'redis') return redisFacts(place)
  const sizes = ['', '-wal'].map(
    suffix => statSync(place.file + suffix, { throwIfNoEntry: false })?.size ?? 0,
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  return { engine: 'SQLite', version: process.versions['sqlite'] ?? '', bytes }
}

async function redisFacts(place: RedisPlace): Promise<EngineFacts> {
  const { link } = await openPlace(place, async () => undefined)
  try {
    const info = (await link.call('INFO', [])) as string
    const field = (name: string): string => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? ''
    return { engine: 'Redis', version: field('redis_version'), bytes: Number(field('used_memory')) }
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error
    return { engine: 'Redis', version: '', bytes: 0 }
  } finally {
    await link.close()
  }
}
