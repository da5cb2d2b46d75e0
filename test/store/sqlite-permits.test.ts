import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { SqlitePermits } from '../../src/store/sqlite-permits.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'

const RULE = { max: 3, windowMs: 60_000 }

/** Permits on a clock that the test sets. */
function openIn(t: Test, file = join(t.testdir(), 'permits.db')) {
  const clock = { now: 1_000_000 }
  const open = (): SqlitePermits => {
    const permits = new SqlitePermits(file, () => clock.now)
    t.teardown(() => permits.close())
    return permits
  }
  return { file, clock, open, permits: open() }
}

t.test(
  'permits stand in a file of their own, for its owner only, from the first one on',
  async t => {
    const folder = t.testdir()
    const store = await openSqliteStore(join(folder, 'preau.db'))
    t.teardown(() => store.close())
    const file = join(folder, 'permits.db')
    t.notOk(existsSync(file))
    const before = statSync(join(folder, 'preau.db-wal')).size
    await store.permits.take('k', RULE)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.equal(statSync(join(folder, 'preau.db-wal')).size, before, 'the database is not written')
  },
)

t.test('whatever has become of the file, the next permit is given from a new one', async t => {
  const cases: [title: string, break_: (file: string) => void][] = [
    ['rubbish', file => writeFileSync(file, randomBytes(5_000))],
    ['half of it', file => writeFileSync(file, readFileSync(file).subarray(0, 6_000))],
    ['an empty file', file => writeFileSync(file, '')],
    ['pages overwritten', file => writeFileSync(file, readFileSync(file).fill(0xa5, 4_096))],
    [
      'a database of another program',
      file => {
        rmSync(file)
        const db = new DatabaseSync(file)
        db.exec('CREATE TABLE permit (name TEXT)')
        db.close()
      },
    ],
  ]
  for (const [title, spoil] of cases) {
    const { file, open, permits } = openIn(t, join(t.testdir(), `${title}.db`))
    for (let i = 0; i < 200; i++) permits.take(`k${i}`, RULE)
    permits.close()
    spoil(file)
    const next = open()
    t.match(next.take('k150', RULE), { isTaken: true }, title)
    t.match(next.take('k151', RULE), { isTaken: true }, title)
  }
})

t.test('a file that is removed or damaged under way is replaced, for all processes', async t => {
  const { file, clock, open, permits } = openIn(t)
  const other = open()
  permits.take('k', RULE)
  other.take('k', RULE)
  rmSync(file)
  clock.now += 1_001
  t.match(permits.take('k', RULE), { isTaken: true, taken: 1 })
  t.match(other.take('k', RULE), { isTaken: true, taken: 2 }, 'both count in the new one')
  writeFileSync(file, randomBytes(8_192))
  t.match(permits.take('k', RULE), { isTaken: true })
  clock.now += 1_001
  t.match(other.take('k', RULE), { isTaken: true, taken: 2 })
})

t.test('a clock that begins anew makes no window longer than it is', async t => {
  const { clock, permits } = openIn(t)
  for (let i = 0; i < 3; i++) permits.take('k', RULE)
  clock.now = 5
  t.match(permits.take('k', RULE), { isTaken: false, leftMs: RULE.windowMs })
  permits.clear('k')
  t.match(permits.take('k', RULE), { isTaken: true, taken: 1 })
})

t.test('a flood of keys does not grow the file for ever', async t => {
  const { file, clock, permits } = openIn(t)
  const count = (): unknown => {
    const db = new DatabaseSync(file)
    const row = db.prepare('SELECT count(*) AS total FROM permit').get()
    db.close()
    return row?.['total']
  }
  for (let i = 0; i < 500; i++) permits.take(`k${i}`, RULE)
  t.equal(count(), 500)
  clock.now += 61_000
  permits.take('next', RULE)
  t.equal(count(), 1, 'what has ended is gone')
  const db = new DatabaseSync(file)
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 101000)
           INSERT INTO permit SELECT 'flood' || i, 1, ${clock.now + 600_000} + i FROM n`)
  db.close()
  clock.now += 60_001
  permits.take('last', RULE)
  t.equal(count(), 100_001, 'and of too many those that end first')
})

t.test('where permits cannot be written they are refused, and the store goes on', async t => {
  const folder = t.testdir({ 'permits.db': {} })
  const store = await openSqliteStore(join(folder, 'preau.db'))
  t.teardown(() => store.close())
  await t.rejects(store.permits.take('k', RULE), { code: 'PREAU_STORE_UNAVAILABLE' })
  t.equal((await store.check()).isUp, true)
  rmSync(join(folder, 'permits.db'), { recursive: true })
  t.match(await store.permits.take('k', RULE), { isTaken: true, taken: 1 })
})
