/** A database of an earlier Préau is brought up to date at its first opening, with all that is in it. */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { APPLICATION_ID, SCHEMA_VERSION } from '../../src/store/sqlite-schema.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { note, request } from '../contract/store.ts'

/** As version 1 made it, word for word. */
const VERSION_1 = `CREATE TABLE document (
     kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (kind, id)
   ) STRICT;
   CREATE INDEX document_by_state ON document (kind, state, id);
   CREATE TABLE audit (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT,
     detail TEXT
   ) STRICT;`

const REFUSED = { outcome: 'refused', by: 'dsi', at: 2, reason: 'non' } as const
const GRANT = {
  id: 'g1',
  host: 'jeux.example',
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'dsi',
  at: 1,
  until: null,
}
const ROWS: [kind: string, id: string, version: number, state: string, body: object][] = [
  ['request', 'r1', 3, 'pending', request('r1')],
  ['request', 'r2', 2, 'refused', request('r2', REFUSED)],
  ['grant', 'g1', 1, 'active', GRANT],
  ['session', 's1', 1, '', { user: 'Claire', csrf: 'x', at: 1, until: 2, seal: '' }],
  ['latest', '0000000A/jeux.example', 7, '', { requestId: 'r1' }],
]

function writeVersion1(file: string): void {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA journal_mode = WAL`)
  db.exec(`${VERSION_1} PRAGMA user_version = 1`)
  const put = db.prepare('INSERT INTO document VALUES (?, ?, ?, ?, ?)')
  for (const [kind, id, version, state, body] of ROWS)
    put.run(kind, id, version, state, JSON.stringify(body))
  db.exec(`INSERT INTO audit (at, by, action, subject) VALUES (1, 'dsi', 'old', 'jeux.example')`)
  db.close()
}

t.test('what a database of version 1 holds is there, and found under its names', async t => {
  const folder = t.testdir()
  const file = join(folder, 'preau.db')
  writeVersion1(file)
  copyFileSync(file, join(folder, 'kept.db'))
  const store = await openSqliteStore(file, { check: true })
  t.teardown(() => store.close())
  for (const [kind, id, version, , body] of ROWS)
    t.same(await store.get(kind as 'request', id), { kind, id, version, body })
  t.same(
    (await store.list('request', { facet: 'pending-site:0000000A' })).map(({ id }) => id),
    ['r1'],
  )
  t.equal(await store.count('request', 'host:jeux.example'), 2)
  t.equal(await store.count('request', 'refused'), 1)
  t.equal(await store.count('grant', 'active'), 1)
  t.equal(await store.count('session', 'user:Claire'), 1)
  t.match(await store.tail({ limit: 5 }), [{ action: 'old', subject: 'jeux.example' }])
  await store.commit(note(), [
    { kind: 'request', id: 'r1', expects: 3, body: request('r1', REFUSED) },
  ])
  t.equal(await store.count('request', 'pending'), 0)
  const db = new DatabaseSync(file)
  t.same(db.prepare('PRAGMA user_version').get(), { user_version: SCHEMA_VERSION })
  db.close()
})

t.test('several that open it at once bring it up to date together', async t => {
  const file = join(t.testdir(), 'preau.db')
  writeVersion1(file)
  const stores = await Promise.all([1, 2, 3].map(() => openSqliteStore(file)))
  t.teardown(() => Promise.all(stores.map(store => store.close())))
  for (const store of stores) t.equal(await store.count('request', 'host:jeux.example'), 2)
})

t.test('a record that cannot be read stops it, and the database is as it was', async t => {
  const file = join(t.testdir(), 'preau.db')
  writeVersion1(file)
  const db = new DatabaseSync(file)
  db.exec(`UPDATE document SET body = '{' WHERE id = 'r2'`)
  db.close()
  await t.rejects(openSqliteStore(file), { code: 'PREAU_STORE_DAMAGED', params: { file } })
  const after = new DatabaseSync(file)
  t.same(after.prepare('PRAGMA user_version').get(), { user_version: 1 })
  t.equal(after.prepare('SELECT count(*) AS n FROM document').get()?.['n'], ROWS.length)
  after.close()
  t.ok(existsSync(file))
})
