/** A new store in Redis, under a marker that nobody opens until it is whole. */
import { randomUUID } from 'node:crypto'
import { PreauError } from '../../errors.ts'
import { facetsOf, type Change } from '../../policy/document.ts'
import { writingError } from '../redis-error.ts'
import type { Argument } from '../redis-link.ts'
import { newMarker, unfinishedMarker } from '../redis-marker.ts'
import type { Script } from '../redis-scripts.ts'
import { idOf, keyOf } from '../rows.ts'
import { KINDS } from './kinds.ts'
import { APPEND, BEGIN, COUNT_FROM, FINISH, PUT, RELEASE } from './redis-copy-scripts.ts'
import { openPlace, type OpenPlace, type RedisPlace } from './redis-place.ts'
import { readingOf } from './redis-reading.ts'
import type { Amount, AuditRecord, Reading, RecordRow, Writing } from './transfer.ts'

/** How long a copy may be silent before the next one takes its place. */
const LEASE_MS = 60_000
const LEFT_OVER = 2
const SCAN_COUNT = 500

/** Throws PREAU_STORE_NOT_EMPTY and PREAU_STORE_UNAVAILABLE. What a copy that broke off has left there is removed. */
export async function openRedisWriting(place: RedisPlace): Promise<Writing> {
  const open = await openPlace(place, async redis => {
    const [role] = await redis.role()
    if (role !== 'master') throw new Error('this Redis is a replica')
  })
  const marker = unfinishedMarker(randomUUID())
  try {
    const args = [marker, LEASE_MS, ...KINDS]
    const found = await open.link.run(BEGIN, [open.keys.schema], args)
    if (found === 0) throw new PreauError('PREAU_STORE_NOT_EMPTY', { store: open.name })
    if (found === LEFT_OVER) await removeAll(open)
    return new RedisWriting(open, marker)
  } catch (error) {
    await open.link.close()
    throw writingError(error)
  }
}

class RedisWriting implements Writing {
  readonly #place: OpenPlace
  readonly #marker: string
  #amount: Amount = { records: 0, audit: 0 }
  #isFinished = false

  constructor(place: OpenPlace, marker: string) {
    this.#place = place
    this.#marker = marker
  }

  async put(records: readonly RecordRow[]): Promise<void> {
    await this.#run(PUT, records.flatMap(recordArguments))
    this.#amount = { ...this.#amount, records: this.#amount.records + records.length }
  }

  async append(entries: readonly AuditRecord[]): Promise<void> {
    await this.#run(APPEND, entries.flatMap(entryArguments))
    this.#amount = { ...this.#amount, audit: this.#amount.audit + entries.length }
  }

  async reread(lastSeq: number): Promise<Reading> {
    await this.#run(COUNT_FROM, [lastSeq])
    return readingOf(this.#place, { lastSeq, amount: this.#amount }, '', async () => undefined)
  }

  async finish(): Promise<void> {
    const { link, replicas } = this.#place
    await this.#run(FINISH, [newMarker()])
    this.#isFinished = true
    if (replicas > 0) await link.call('WAIT', [replicas, WAIT_MS]).catch(() => undefined)
    await link.close()
  }

  async abandon(): Promise<void> {
    if (this.#isFinished) return
    const { link, keys } = this.#place
    try {
      // What cannot be removed now is no store either way, and goes with the next copy.
      await this.#run(COUNT_FROM, [0])
      await removeAll(this.#place)
      await link.run(RELEASE, [keys.schema], [this.#marker])
    } catch {
      return
    } finally {
      await link.close()
    }
  }

  async #run(script: Script, args: readonly Argument[]): Promise<void> {
    const { link, keys, name } = this.#place
    try {
      const isOurs = await link.run(script, [keys.schema], [this.#marker, LEASE_MS, ...args])
      if (isOurs === 0) throw new PreauError('PREAU_STORE_NOT_EMPTY', { store: name })
    } catch (error) {
      throw writingError(error)
    }
  }
}

const WAIT_MS = 10_000

function recordArguments({ kind, key, version, body }: RecordRow): Argument[] {
  const change = { kind, id: idOf(key), body: JSON.parse(body) } as Change
  return [kind, key, version, JSON.stringify(facetsOf(change).map(keyOf)), body]
}

function entryArguments({ seq, at, by, action, subject, detail }: AuditRecord): Argument[] {
  return [seq, JSON.stringify({ at, by, action, subject, detail })]
}

/** All records, indexes and entries; the marker stays. Only where the marker is that of a copy. */
async function removeAll({ link, keys }: OpenPlace): Promise<void> {
  const base = keys.schema.replace(/schema$/, '')
  const patterns = [keys.audit, keys.seq, `${base}doc:*`, `${base}ids:*`, `${base}facet:*`]
  for (const pattern of patterns) {
    for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
      const answer = await link.call('SCAN', [cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT])
      const [next, names] = answer as [string, string[]]
      if (names.length > 0) await link.call('UNLINK', names)
      cursor = next
    }
  }
}
