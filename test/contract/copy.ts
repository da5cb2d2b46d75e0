/** What a copy of a store promises, from and to each kind of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Change } from '../../src/policy/document.ts'
import { copyStore, type Copied } from '../../src/store/copy/copy.ts'
import { openSqliteReading } from '../../src/store/copy/sqlite-reading.ts'
import { openSqliteWriting } from '../../src/store/copy/sqlite-writing.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Reading, Writing } from '../../src/store/copy/transfer.ts'
import type { Store } from '../../src/store/store.ts'
import { note, request } from './store.ts'

/** One place for a store, empty at first. */
export interface Spot {
  readonly open: () => Promise<Store>
  readonly reading: () => Promise<Reading>
  readonly writing: () => Promise<Writing>
}
export type MakeSpot = (t: Test) => Spot | Promise<Spot>

export const sqliteSpot: MakeSpot = t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-copy-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'preau.db')
  return {
    open: () => openSqliteStore(file),
    reading: async () => openSqliteReading(file, { check: true }),
    writing: async () => openSqliteWriting(file),
  }
}

const latest = (id: string, requestId: string): Change => ({
  kind: 'latest',
  id,
  body: { requestId },
})
const ODD_IDS = [
  'a',
  'a:b',
  'a\\u0041',
  'é',
  '\u{1F600}',
  '\uD83D',
  '\uFFFF',
  'A',
  ' ',
  '\n\0',
  '日本',
]
const MANY = 1_300

/** Records of several kinds with versions, more than one bundle of them, and an audit whose beginning is forgotten. */
async function fill(store: Store): Promise<void> {
  for (const id of ODD_IDS) await store.commit(note(), [latest(id, 'r')])
  for (let i = 0; i < 3; i++) await store.commit(note(), [latest('é', `r${i}`)])
  await store.commit(note('gone'), [latest('removed', 'r')])
  await store.commit(note('gone'), [{ kind: 'latest', id: 'removed', body: null }])
  await store.forget(note().at + 1)
  for (let i = 0; i < MANY; i += 100) {
    const requests = Array.from({ length: 100 }, (_, j) =>
      request(`r${String(i + j).padStart(5, '0')}`),
    )
    const changes = requests.map((body): Change => ({ kind: 'request', id: body.id, body }))
    await store.commit({ ...note('many', 1_800_000_000_000 + i), subject: 'jeux.example' }, changes)
  }
  const detail = { scope: 'city', n: 1.5, yes: true, none: null, text: 'é"\\\n' }
  const decision = { outcome: 'refused', by: 'dsi', at: 2, reason: 'non' } as const
  const refused: Change = { kind: 'request', id: 'r00007', body: request('r00007', decision) }
  await store.commit({ ...note('odd', 1_800_000_009_999), detail }, [refused])
}

async function withStore<T>(spot: Spot, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await spot.open()
  return use(store).finally(() => store.close())
}

async function copy(from: Spot, to: Spot): Promise<Copied> {
  const reading = await from.reading()
  const writing = await to.writing().catch(async (error: unknown) => {
    await reading.close()
    throw error
  })
  return copyStore(reading, writing)
}

/** All that the interface lets one see. */
async function seen(store: Store) {
  const { requests, refused } = {
    requests: await store.list('request', { limit: 5_000 }),
    refused: await store.list('request', { facet: 'refused' }),
  }
  return {
    requests,
    refused,
    pending: await store.count('request', 'pending'),
    byHost: await store.count('request', 'host:jeux.example'),
    latest: await store.list('latest', { limit: 5_000 }),
    audit: await store.tail({ limit: 5_000 }),
  }
}

export function copyContract(t: Test, name: string, makeFrom: MakeSpot, makeTo: MakeSpot): void {
  const check = (title: string, run: (t: Test, from: Spot, to: Spot) => Promise<void>) =>
    t.test(`${name}: ${title}`, async t => run(t, await makeFrom(t), await makeTo(t)))

  check('all that one could see is there, and work goes on where it stood', async (t, from, to) => {
    const before = await withStore(from, async store => {
      await fill(store)
      return seen(store)
    })
    t.equal(before.requests.length, MANY)
    const shares: number[] = []
    const copied = await copyStore(await from.reading(), await to.writing(), {
      onProgress: (_, share) => shares.push(share),
    })
    t.match(copied, { records: MANY + ODD_IDS.length, audit: 14, digest: /^[0-9a-f]{64}$/ })
    t.ok(shares.length > 4 && shares.at(-1) === 1, 'and its progress was told')
    await withStore(to, async store => {
      t.strictSame(await seen(store), before)
      const [last] = await store.tail({ limit: 1 })
      await t.rejects(store.commit(note(), [{ ...latest('é', 'x'), expects: 3 }]), {
        code: 'PREAU_CONFLICT',
      })
      await store.commit(note('next'), [{ ...latest('é', 'x'), expects: 4 }])
      t.match(await store.tail({ limit: 1 }), [{ seq: (last?.seq ?? 0) + 1, action: 'next' }])
    })
  })

  check('there and back again nothing has changed', async (t, from, to) => {
    await withStore(from, fill)
    const there = await copy(from, to)
    const back = await copy(to, await makeFrom(t))
    t.strictSame(back, there)
  })

  check('an audit that is wholly forgotten still goes on counting', async (t, from, to) => {
    await withStore(from, async store => {
      for (let i = 0; i < 3; i++) await store.commit(note(), [])
      t.equal(await store.forget(Number.MAX_SAFE_INTEGER), 3)
    })
    t.match(await copy(from, to), { records: 0, audit: 0, lastSeq: 3 })
    await withStore(to, async store => {
      await store.commit(note('next'), [])
      t.match(await store.tail({ limit: 9 }), [{ seq: 4, action: 'next' }])
    })
  })

  check(
    'what is committed meanwhile is not in it, and does not wait for it',
    async (t, from, to) => {
      await withStore(from, async store => {
        await fill(store)
        const before = await seen(store)
        const reading = await from.reading()
        await store.commit(note('late'), [latest('late', 'r'), latest('é', 'late')])
        await store.forget(1_800_000_000_500)
        await copyStore(reading, await to.writing())
        await withStore(to, async copied => t.strictSame(await seen(copied), before))
      })
    },
  )

  check('a place that holds something is refused, and left as it is', async (t, from, to) => {
    await withStore(from, fill)
    await withStore(to, store => store.commit(note(), [latest('mine', 'r')]))
    await t.rejects(copy(from, to), { code: 'PREAU_STORE_NOT_EMPTY' })
    await withStore(to, async store => t.match(await store.list('latest'), [{ id: 'mine' }]))
  })

  check('a copy that breaks off is no store, and can be begun anew', async (t, from, to) => {
    await withStore(from, fill)
    const reading = await from.reading()
    const broken: Reading = {
      ...reading,
      async *audit() {
        yield* reading.audit()
        throw new Error('the disk has gone')
      },
    }
    await t.rejects(copyStore(broken, await to.writing()), /the disk has gone/)
    await t.rejects(to.reading(), 'nothing stands there')
    t.match(await copy(from, to), { records: MANY + ODD_IDS.length })
  })

  check('a copy that reads otherwise than its original is no store', async (t, from, to) => {
    await withStore(from, fill)
    const writing = await to.writing()
    const put: Writing['put'] = rows =>
      writing.put(rows.map(row => ({ ...row, body: row.body.replace('"r2"', '"r3"') })))
    const lying: Writing = {
      put,
      append: entries => writing.append(entries),
      reread: lastSeq => writing.reread(lastSeq),
      finish: () => writing.finish(),
      abandon: () => writing.abandon(),
    }
    await t.rejects(copyStore(await from.reading(), lying), { code: 'PREAU_STORE_COPY_DIFFERS' })
    await t.rejects(to.reading(), 'nothing stands there')
  })

  check('a copy that is stopped on its way leaves nothing', async (t, from, to) => {
    await withStore(from, fill)
    for (const phase of ['copying', 'comparing']) {
      const stop = new AbortController()
      const onProgress = (now: string): void => {
        if (now === phase) stop.abort(new Error('enough'))
      }
      const { signal } = stop
      const copying = copyStore(await from.reading(), await to.writing(), { onProgress, signal })
      await t.rejects(copying, /enough/)
      await t.rejects(to.reading(), 'nothing stands there')
    }
  })

  check('of two copies into one place one wins, and it is whole', async (t, from, to) => {
    await withStore(from, fill)
    const both = await Promise.allSettled([copy(from, to), copy(from, to)])
    const won = both.filter(({ status }) => status === 'fulfilled')
    t.equal(won.length, 1)
    t.match(
      both.find(({ status }) => status === 'rejected'),
      { reason: { code: 'PREAU_STORE_NOT_EMPTY' } },
    )
    await withStore(to, async store => t.equal((await seen(store)).requests.length, MANY))
  })
}
