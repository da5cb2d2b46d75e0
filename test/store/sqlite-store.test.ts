import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { note, storeContract } from '../contract/store.ts'

storeContract(t, 'SQLite', place => {
  const file = join(place.testdir(), 'preau.db')
  return () => openSqliteStore(file)
})

const latest = (id: string, requestId = 'r') =>
  ({ kind: 'latest', id, body: { requestId } }) as const

async function openIn(t: Test, busyTimeoutMs?: number) {
  const file = join(t.testdir(), 'preau.db')
  const store = await openSqliteStore(file, busyTimeoutMs === undefined ? {} : { busyTimeoutMs })
  t.teardown(() => store.close())
  return { file, store }
}

t.test('a database that was moved away is told by the check', async t => {
  const { file, store } = await openIn(t)
  t.same(await store.check(), { isUp: true, warnings: [] })
  renameSync(file, `${file}.away`)
  const { isUp, detail } = await store.check()
  t.equal(isUp, false)
  t.match(detail, { en: /preau\.db was removed or replaced$/ })
})

/** Holds the write lock of the file, as a process in the middle of a commit does. */
function lock(t: Test, file: string): () => void {
  const db = new DatabaseSync(file)
  db.exec('BEGIN IMMEDIATE')
  t.teardown(() => db.isOpen && db.close())
  return () => db.exec('ROLLBACK')
}

t.test('the file is readable by its owner only, and nothing is left beside it', async t => {
  const { file, store } = await openIn(t)
  t.equal(statSync(file).mode & 0o777, 0o600)
  await store.commit(note(), [latest('k')])
  t.equal(statSync(`${file}-wal`).mode & 0o777, 0o600)
  await store.close()
  t.same(readdirSync(join(file, '..')), ['preau.db'])
})

t.test('while a commit waits for the disk the process goes on serving', async t => {
  const { file, store } = await openIn(t)
  const unlock = lock(t, file)
  const commit = store.commit(note(), [latest('k')])
  // Were the commit on this thread, this timer could not fire and the commit would fail as busy.
  await wait(50)
  unlock()
  await t.resolves(commit)
})

t.test('the event loop turns freely while 200 commits run', async t => {
  const { store } = await openIn(t)
  let turns = 0
  const turn = (): void => {
    turns += 1
    immediate = setImmediate(turn)
  }
  let immediate = setImmediate(turn)
  for (let i = 0; i < 200; i++) await store.commit(note(), [latest(`k${i}`)])
  clearImmediate(immediate)
  t.ok(turns >= 200, `${turns} turns`)
})

t.test(
  'a commit that waits too long for another process fails, and the next one works',
  async t => {
    const { file, store } = await openIn(t, 30)
    const unlock = lock(t, file)
    await t.rejects(store.commit(note(), [latest('k')]), {
      code: 'PREAU_STORE_UNAVAILABLE',
      params: { detail: 'database is locked' },
    })
    t.equal(await store.get('latest', 'k'), undefined, 'reading goes on')
    unlock()
    await store.commit(note(), [latest('k')])
    t.ok(await store.get('latest', 'k'))
  },
)

t.test('a store thread that dies fails what was under way, and is replaced', async t => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  t.teardown(() => process.off('worker', remember))
  const { file, store } = await openIn(t, 200)
  await store.commit(note(), [latest('before')])

  const told = new Promise<void>(resolve => store.watch(resolve))
  const unlock = lock(t, file)
  const pending = store.commit(note(), [latest('during')])
  const failed = t.rejects(pending, { code: 'PREAU_STORE_UNAVAILABLE' })
  await workers[0]?.terminate()
  await failed
  unlock()
  await t.rejects(store.get('latest', 'before'), { code: 'PREAU_STORE_UNAVAILABLE' })

  while (!(await store.get('latest', 'before').catch(() => undefined))) await wait(20)
  await store.commit(note(), [latest('after')])
  t.ok(await store.get('latest', 'after'))
  t.equal(workers.length, 2)
  await t.resolves(told, 'those who watch are told that they may have missed something')
})

t.test('a thread that starts again never replaces a vanished database by an empty one', async t => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  t.teardown(() => process.off('worker', remember))
  const { file, store } = await openIn(t)
  await store.commit(note(), [latest('k')])
  await workers[0]?.terminate()
  // At once, and with its log if any: the next thread starts in a moment.
  const moved = readdirSync(join(file, '..')).map(name => join(file, '..', name))
  for (const path of moved) renameSync(path, `${path}.away`)
  while (workers.length < 3) await wait(20)
  t.notOk(existsSync(file))
  await t.rejects(store.get('latest', 'k'), { code: 'PREAU_STORE_UNAVAILABLE' })
  for (const path of moved) renameSync(`${path}.away`, path)
  while (!(await store.get('latest', 'k').catch(() => undefined))) await wait(50)
  t.pass('it works again once the file is back')
})
