import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { copyStore } from '../../../src/store/copy/copy.ts'
import { openSqliteReading } from '../../../src/store/copy/sqlite-reading.ts'
import { openSqliteWriting } from '../../../src/store/copy/sqlite-writing.ts'
import type { PreauError } from '../../../src/errors.ts'
import { APPLICATION_ID } from '../../../src/store/sqlite-schema.ts'
import { openSqliteStore } from '../../../src/store/sqlite-store.ts'
import { copyContract, sqliteSpot } from '../../contract/copy.ts'
import { note } from '../../contract/store.ts'

copyContract(t, 'SQLite to SQLite', sqliteSpot, sqliteSpot)

/** A store with one record, and its bytes. */
async function aStore(t: Test) {
  const dir = t.testdir()
  const file = join(dir, 'preau.db')
  const store = await openSqliteStore(file)
  await store.commit(note(), [{ kind: 'latest', id: 'k', body: { requestId: 'r' } }])
  await store.close()
  return { dir, file, to: join(dir, 'copy.db') }
}
/** A store that nobody has open keeps its shared memory and an empty log beside it once it was read. */
const filesIn = (dir: string): string[] =>
  readdirSync(dir).filter(name => !name.startsWith('preau.db-'))
const copy = async (from: string, to: string) =>
  copyStore(openSqliteReading(from, { check: true }), openSqliteWriting(to))

t.test(
  'the copy is one file, for its owner only, sound, and can be read where nothing may be written',
  async t => {
    const { dir, file, to } = await aStore(t)
    await copy(file, to)
    t.strictSame(filesIn(dir), ['copy.db', 'preau.db'])
    t.equal(statSync(to).mode & 0o777, 0o600)
    const db = new DatabaseSync(to, { readOnly: true })
    t.match(db.prepare('PRAGMA integrity_check').get(), { integrity_check: 'ok' })
    db.close()
    await copy(to, join(dir, 'third.db'))
    t.strictSame(
      filesIn(dir),
      ['copy.db', 'preau.db', 'third.db'],
      'nothing is left beside what was read',
    )
  },
)

t.test(
  'what is copied is not touched, and one of an earlier Préau need not be brought up to date',
  async t => {
    const { dir, file, to } = await aStore(t)
    const old = join(dir, 'old.db')
    const db = new DatabaseSync(old)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;
    CREATE TABLE document (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
      body TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT;
    CREATE TABLE audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL,
      action TEXT NOT NULL, subject TEXT, detail TEXT) STRICT;
    INSERT INTO document VALUES ('latest', 'k', 7, '', '{"requestId":"r"}')`)
    db.close()
    for (const from of [file, old]) {
      const before = readFileSync(from)
      const target = `${to}-${basename(from)}`
      await copy(from, target)
      t.ok(readFileSync(from).equals(before), from)
      const store = await openSqliteStore(target, { check: true })
      t.match(await store.get('latest', 'k'), { version: from === old ? 7 : 1 })
      await store.close()
    }
  },
)

t.test('what is no store, a damaged one or one of a later Préau is not copied', async t => {
  const { dir, file, to } = await aStore(t)
  const whole = readFileSync(file)
  const write = (name: string, content: Buffer | string): string => {
    writeFileSync(join(dir, name), content)
    return join(dir, name)
  }
  const torn = write(
    'torn.db',
    Buffer.concat([whole.subarray(0, 8_192), Buffer.alloc(whole.length - 8_192, 1)]),
  )
  const newer = write('newer.db', whole)
  const db = new DatabaseSync(newer)
  db.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99')
  db.close()
  const rows: [string, string][] = [
    [write('text.db', 'a letter'), 'PREAU_STORE_DAMAGED'],
    [write('empty.db', ''), 'PREAU_STORE_DAMAGED'],
    [torn, 'PREAU_STORE_DAMAGED'],
    [newer, 'PREAU_STORE_TOO_NEW'],
    [join(dir, 'absent.db'), 'PREAU_STORE_UNREADABLE'],
    [dir, 'PREAU_STORE_UNREADABLE'],
  ]
  for (const [from, code] of rows) {
    await t.rejects(copy(from, to), { code }, from)
    t.notOk(existsSync(to))
  }
})

t.test('a place that cannot take a copy is named, and nothing is left there', async t => {
  const { dir, file } = await aStore(t)
  const orphan = join(dir, 'moved.db')
  writeFileSync(`${orphan}-wal`, 'the log of another')
  const rows: [string, string][] = [
    [join(dir, 'absent', 'copy.db'), 'PREAU_STORE_UNREADABLE'],
    [join(file, 'copy.db'), 'PREAU_STORE_UNREADABLE'],
    [dir, 'PREAU_STORE_NOT_EMPTY'],
    [file, 'PREAU_STORE_NOT_EMPTY'],
    // SQLite would replay it into the copy.
    [orphan, 'PREAU_STORE_DAMAGED'],
  ]
  const before = filesIn(dir)
  for (const [to, code] of rows) {
    const error = await copy(file, to).then(
      () => undefined,
      (caught: unknown) => caught as PreauError,
    )
    t.equal(error?.code, code, to)
    t.ok(error?.text('fr').includes(to), to)
    t.notMatch(error?.text('fr'), 'partial')
  }
  t.strictSame(filesIn(dir), before)
})
