/**
 * All that a store in Redis holds, while others go on writing: it is copied within Redis first, in one step that lets
 * nobody in between, and read from that copy at leisure. Costs its memory a second time while it lasts, and that step.
 */
import { randomUUID } from 'node:crypto'
import { PreauError } from '../../errors.ts'
import type { Kind } from '../../policy/document.ts'
import { readingError } from '../redis-error.ts'
import { findStore } from '../redis-marker.ts'
import { rowOf, type StreamEntry } from '../redis-records.ts'
import type { AuditRow } from '../rows.ts'
import { KINDS } from './kinds.ts'
import { SNAPSHOT } from './redis-copy-scripts.ts'
import { openPlace, type OpenPlace, type RedisPlace } from './redis-place.ts'
import { assertRoom } from './redis-room.ts'
import type { Amount, AuditRecord, Reading, RecordRow } from './transfer.ts'

/** What a copy that dies leaves behind goes by itself. */
const LIFE_MS = 3_600_000
const PAGE = 250

/** Throws PREAU_STORE_UNAVAILABLE (also where the memory of Redis has no room for it), PREAU_STORE_DAMAGED, _TOO_NEW. */
export async function openRedisReading(place: RedisPlace): Promise<Reading> {
  let marker: string | undefined
  const open = await openPlace(place, async (redis, { keys, name }) => {
    const expected = { key: keys.schema, marker, mayCreate: false, place: name }
    marker = (await findStore(redis, expected)).marker
  })
  const snapshot = `snapshot:${randomUUID()}`
  try {
    await assertRoom(open)
    const { link, keys } = open
    const args = [marker ?? '', snapshot, LIFE_MS, ...KINDS]
    const [lastSeq = -1, audit = 0, records = 0] = (await link.run(
      SNAPSHOT,
      [keys.schema],
      args,
    )) as number[]
    if (lastSeq < 0)
      throw new PreauError('PREAU_STORE_UNAVAILABLE', {
        detail: { fr: 'elle a été remplacée', en: 'it was replaced' },
      })
    const close = async (): Promise<void> => {
      await dropSnapshot(open, snapshot).catch(() => undefined)
      await link.close()
    }
    return readingOf(open, { lastSeq, amount: { records, audit } }, `${snapshot}:`, close)
  } catch (error) {
    await open.link.close()
    throw readingError(error)
  }
}

async function dropSnapshot({ link, keys }: OpenPlace, snapshot: string): Promise<void> {
  const names = ['audit', ...KINDS.flatMap(kind => [`ids:${kind}`, `doc:${kind}`])]
  await link.call(
    'UNLINK',
    names.map(name => within(keys.schema, `${snapshot}:${name}`)),
  )
}

/** A key beside the marker, whose own name is `schema`. */
const within = (marker: string, name: string): string => marker.replace(/schema$/, name)

/** `at`: what stands before the usual names; nothing changes there while it is read. */
export function readingOf(
  { link, keys }: Pick<OpenPlace, 'link' | 'keys'>,
  { lastSeq, amount }: { readonly lastSeq: number; readonly amount: Amount },
  at: string,
  close: () => Promise<void>,
): Reading {
  const call = async (command: string, args: (string | number)[]): Promise<unknown> => {
    try {
      return await link.call(command, args)
    } catch (error) {
      throw readingError(error)
    }
  }
  const key = (name: string): string => within(keys.schema, at + name)
  async function* ofKind(kind: Kind): AsyncGenerator<readonly RecordRow[]> {
    for (let from = '-'; ;) {
      const ids = (await call('ZRANGEBYLEX', [
        key(`ids:${kind}`),
        from,
        '+',
        'LIMIT',
        0,
        PAGE,
      ])) as string[]
      if (ids.length === 0) return
      const values = (await call('HMGET', [key(`doc:${kind}`), ...ids])) as (string | null)[]
      yield ids.flatMap((id, i) => {
        const value = values[i] ?? null
        if (value === null) return []
        const { version, body } = rowOf(id, value)
        return [{ kind, key: id, version, body }]
      })
      from = `(${ids.at(-1)}`
    }
  }
  return {
    amount,
    lastSeq,
    async *records() {
      for (const kind of KINDS) yield* ofKind(kind)
    },
    async *audit() {
      for (let from = '-'; ;) {
        const entries = (await call('XRANGE', [
          key('audit'),
          from,
          '+',
          'COUNT',
          PAGE,
        ])) as StreamEntry[]
        if (entries.length === 0) return
        yield entries.map(auditRecordOf)
        from = `(${entries.at(-1)?.[0]}`
      }
    },
    close,
  }
}

function auditRecordOf([id, fields]: StreamEntry): AuditRecord {
  const { at, by, action, subject, detail } = JSON.parse(fields[1] ?? '') as AuditRow
  return { seq: Number.parseInt(id, 10), at, by, action, subject, detail }
}
