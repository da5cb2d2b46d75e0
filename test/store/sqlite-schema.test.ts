import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { copyStore } from '../../src/store/copy/copy.ts'
import { openSqliteReading } from '../../src/store/copy/sqlite-reading.ts'
import { openSqliteWriting } from '../../src/store/copy/sqlite-writing.ts'
import { APPLICATION_ID, SCHEMA_VERSION } from '../../src/store/sqlite-schema.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { note } from '../contract/store.ts'

/** A closed database with 300 records, as bytes. */
async function healthyDatabase(t: Test): Promise<Buffer> {
  const file = join(t.testdir({ made: {} }), 'made', 'preau.db')
  const store = await openSqliteStore(file)
  const changes = Array.from({ length: 300 }, (_, i) => ({
    kind: 'latest' as const,
    id: `k${i}`,
    body: { requestId: 'x'.repeat(200) },
  }))
  await store.commit(note(), changes)
  await store.close()
  return fs.readFileSync(file)
}

function withBytes(source: Buffer, offset: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(source)
  bytes.copy(copy, offset)
  return copy
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

t.test('what is not a healthy database of Préau is refused and not touched', async t => {
  const healthy = await healthyDatabase(t)
  const page = healthy.readUInt16BE(16)
  t.equal(healthy.readUInt32BE(68), APPLICATION_ID)
  t.equal(healthy.readUInt32BE(60), SCHEMA_VERSION)
  const folder = t.testdir()
  const foreign = join(folder, 'foreign-source.db')
  const db = new DatabaseSync(foreign)
  db.exec('CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES (1)')
  db.close()

  const cases: [title: string, bytes: Buffer, code: string, check: boolean][] = [
    ['an empty file', Buffer.alloc(0), 'PREAU_STORE_DAMAGED', false],
    ['a text file', Buffer.from('bonjour\n'.repeat(1_000)), 'PREAU_STORE_DAMAGED', false],
    ['a few bytes', healthy.subarray(0, 10), 'PREAU_STORE_DAMAGED', false],
    ['a file cut in its first page', healthy.subarray(0, 300), 'PREAU_STORE_DAMAGED', false],
    ['a file cut between two pages', healthy.subarray(0, page * 3), 'PREAU_STORE_DAMAGED', false],
    ['a file cut inside a page', healthy.subarray(0, page * 5 + 77), 'PREAU_STORE_DAMAGED', false],
    [
      'a page overwritten with rubbish',
      withBytes(healthy, page * 4, Buffer.alloc(page, 0xa5)),
      'PREAU_STORE_DAMAGED',
      true,
    ],
    ['a database of another program', fs.readFileSync(foreign), 'PREAU_STORE_DAMAGED', false],
    [
      'a database of a newer Préau',
      withBytes(healthy, 60, uint32(SCHEMA_VERSION + 1)),
      'PREAU_STORE_TOO_NEW',
      false,
    ],
  ]
  for (const [title, bytes, code, check] of cases) {
    const file = join(folder, `${title.replaceAll(' ', '-')}.db`)
    fs.writeFileSync(file, bytes)
    await t.rejects(openSqliteStore(file, { check }), { code, params: { file } }, title)
    t.ok(fs.readFileSync(file).equals(bytes), `${title}: same bytes`)
  }
  const file = join(folder, 'healthy.db')
  fs.writeFileSync(file, healthy)
  const store = await openSqliteStore(file, { check: true })
  t.equal(await store.count('latest'), 300, 'the database they were made from opens')
  await store.close()
})

t.test('a refused database keeps its write-ahead log too', async t => {
  const folder = t.testdir({ live: {}, copy: {} })
  const live = join(folder, 'live', 'other.db')
  const copy = join(folder, 'copy', 'preau.db')
  const db = new DatabaseSync(live)
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE a (b); INSERT INTO a VALUES (1)')
  fs.copyFileSync(live, copy)
  fs.copyFileSync(`${live}-wal`, `${copy}-wal`)
  db.close()
  const digests = () =>
    ['', '-wal'].map(suffix =>
      createHash('sha256')
        .update(fs.readFileSync(copy + suffix))
        .digest('hex'),
    )
  const before = digests()
  await t.rejects(openSqliteStore(copy, { check: true }), { code: 'PREAU_STORE_DAMAGED' })
  t.same(digests(), before)
})

t.test('a write-ahead log without its database is not replayed onto a new one', async t => {
  const file = join(t.testdir({ 'preau.db-wal': 'the log of a database moved away' }), 'preau.db')
  await t.rejects(openSqliteStore(file), { code: 'PREAU_STORE_DAMAGED' })
  t.notOk(fs.existsSync(file))
})

t.test(
  'a backup put back beside the log of a crash is told as that, and is whole without the log',
  async t => {
    const folder = t.testdir({ live: {}, restored: {} })
    const [live, restored] = ['live', 'restored'].map(name => join(folder, name, 'preau.db')) as [
      string,
      string,
    ]
    const store = await openSqliteStore(live)
    const write = async (from: number): Promise<void> => {
      for (let i = from; i < from + 300; i++)
        await store.commit(note(`a${i}`), [
          { kind: 'latest', id: `k${i % 200}`, body: { requestId: 'x'.repeat(i % 150) } },
        ])
    }
    await write(0)
    await copyStore(openSqliteReading(live, { check: true }), openSqliteWriting(restored))
    await write(300)
    // As a power cut leaves it.
    fs.copyFileSync(`${live}-wal`, `${restored}-wal`)
    await store.close()
    await t.rejects(openSqliteStore(restored, { check: true }), {
      code: 'PREAU_STORE_DAMAGED',
      message:
        /if you have just put a backup in its place, .*preau\.db-wal is the log of the database before/,
    })
    for (const suffix of ['-wal', '-shm']) fs.rmSync(restored + suffix, { force: true })
    const again = await openSqliteStore(restored, { check: true })
    t.match(await again.tail({ limit: 1 }), [{ action: 'a299' }])
    await again.close()
  },
)

t.test('a folder in its place, or a folder that is missing, is refused', async t => {
  const folder = t.testdir({ 'preau.db': {} })
  const code = 'PREAU_STORE_UNREADABLE'
  await t.rejects(openSqliteStore(join(folder, 'preau.db')), { code })
  await t.rejects(openSqliteStore(join(folder, 'missing', 'preau.db')), { code })
})

t.test(
  'damaged pages are found by the full check; a process that meets them later says so and lives',
  async t => {
    const healthy = await healthyDatabase(t)
    const page = healthy.readUInt16BE(16)
    const file = join(t.testdir(), 'preau.db')
    fs.writeFileSync(file, withBytes(healthy, page * 5, Buffer.alloc(page * 20, 0xa5)))
    await t.rejects(openSqliteStore(file, { check: true }), { code: 'PREAU_STORE_DAMAGED' })
    const store = await openSqliteStore(file)
    await t.rejects(store.list('latest', { limit: 1_000 }), { code: 'PREAU_STORE_UNAVAILABLE' })
    await store.close()
  },
)
