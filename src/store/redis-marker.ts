/**
 * The record that says "here is a store of Préau, of this schema": written when a store is made, looked at by each new
 * connection. Its id tells a Redis that came back with its data from one that came back empty and was filled anew.
 */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { PreauError } from '../errors.ts'
import { OPEN } from './redis-scripts.ts'

const REDIS_SCHEMA = 1

export interface Found {
  /** As it is written, word for word. */
  readonly marker: string
  readonly seq: number
}

export interface Expected {
  /** Its key, which ends in `schema`. */
  readonly key: string
  /** What it was when this process first saw it. */
  readonly marker: string | undefined
  /** Whether a store may be made where there is none. */
  readonly mayCreate: boolean
  /** What people know the place by. */
  readonly place: string
}

/** That of a store. */
export const newMarker = (): string => JSON.stringify({ preau: REDIS_SCHEMA, id: randomUUID() })

/** That of a place into which a store is being copied: no store yet. */
export const unfinishedMarker = (id: string): string => JSON.stringify({ copying: id })

/** Throws where it follows another; says nothing where this user may not ask. */
export async function assertMaster(redis: Redis): Promise<void> {
  const role = (await redis.role().catch(ignoreForbidden)) as [string] | undefined
  if (role !== undefined && role[0] !== 'master') throw new Error('this Redis is a replica')
}

function ignoreForbidden(error: unknown): undefined {
  if (error instanceof Error && error.message.startsWith('NOPERM')) return undefined
  throw error
}

/** Throws PREAU_STORE_DAMAGED, PREAU_STORE_TOO_NEW, PREAU_STORE_UNAVAILABLE, or what Redis answers. */
export async function findStore(redis: Redis, expected: Expected): Promise<Found> {
  const { key, mayCreate, place } = expected
  const asked = redis.eval(OPEN.text, 1, key, newMarker(), mayCreate ? '1' : '')
  const [marker, seq] = (await asked.catch((error: unknown) => {
    throw isWrongType(error) ? foreign(place, key) : error
  })) as [string | null, string]
  assertOurs(marker, seq, expected)
  return { marker, seq: Number(seq) }
}

function assertOurs(
  marker: string | null,
  seq: string,
  { key, place, marker: before }: Expected,
): asserts marker is string {
  if (marker === before && marker !== null) return
  if (marker === null && before === undefined && seq === '0') {
    const detail = {
      fr: 'elle n’existe pas encore : « {preau} start » la crée',
      en: 'there is none yet: "{preau} start" makes it',
    }
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail })
  }
  if (marker === null && before === undefined) throw foreign(place, key)
  if (before !== undefined) {
    const detail = {
      fr: 'Redis est revenu sans les données, ou avec celles d’une autre base : si c’est voulu, redémarrez Préau',
      en: 'Redis came back without the data, or with those of another store: start Préau again if that is meant',
    }
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail })
  }
  if (marker?.startsWith('{"copying":') === true) {
    const detail = {
      fr: 'une copie y est en cours, ou s’est interrompue : relancez « {preau} store copy »',
      en: 'a copy into it is at work or has broken off: run "{preau} store copy" again',
    }
    throw new PreauError('PREAU_STORE_DAMAGED', { file: place, detail })
  }
  const found = schemaOf(marker ?? '')
  if (found === undefined) throw foreign(place, key)
  if (found > REDIS_SCHEMA)
    throw new PreauError('PREAU_STORE_TOO_NEW', { file: place, found, known: REDIS_SCHEMA })
}

function schemaOf(marker: string): number | undefined {
  try {
    const parsed = JSON.parse(marker) as { preau?: unknown } | null
    return typeof parsed?.preau === 'number' ? parsed.preau : undefined
  } catch {
    return undefined
  }
}

const isWrongType = (error: unknown): boolean =>
  error instanceof Error && /\bWRONGTYPE\b/.test(error.message)

function foreign(file: string, key: string): PreauError {
  const detail = {
    fr: `${key} n’est pas ce que Préau y écrit : « redis.prefix » peut nommer une autre place`,
    en: `${key} is not what Préau writes there: redis.prefix can name another place`,
  }
  return new PreauError('PREAU_STORE_DAMAGED', { file, detail })
}
