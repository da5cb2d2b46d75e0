import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { SCRIPT, start } from './store-child.ts'

t.test('a process killed at any moment loses nothing that was acknowledged', async t => {
  const file = join(t.testdir(), 'preau.db')
  const acknowledged: string[] = []
  for (let round = 0; round < 4; round++) {
    const names = ['a', 'b', 'c', 'd'].map(letter => `${letter}${round}`)
    const children = names.map(name => start(t, [file, 'write', name]))
    await Promise.all(children.map(child => child.next()))
    await wait(Math.random() * 60)
    for (const child of children) child.kill()
    for (const [i, child] of children.entries()) {
      const said = ['ok 1', ...(await child.rest())]
      acknowledged.push(...said.map(line => `${names[i]}-${line.slice(3)}`))
    }
  }
  const store = await openSqliteStore(file, { check: true })
  t.teardown(() => store.close())
  const ids = new Set((await store.list('latest', { limit: 1_000_000 })).map(({ id }) => id))
  t.ok(acknowledged.length >= 16, `${acknowledged.length} acknowledged commits`)
  t.same(
    acknowledged.filter(id => !ids.has(id)),
    [],
  )
  const entries = await store.tail({ limit: 1_000_000 })
  t.equal(entries.length, ids.size, 'each record has its audit entry')
})

t.test('two processes tell each other what they commit', async t => {
  const file = join(t.testdir(), 'preau.db')
  const one = start(t, [file, 'watch'])
  const two = start(t, [file, 'watch'])
  t.same(await Promise.all([one.next(), two.next()]), ['ready', 'ready'])
  for (const [speaker, listener, text] of [
    [one, two, 'from one'],
    [two, one, 'from two'],
  ] as const) {
    speaker.tell(text)
    let heard = await listener.next()
    while (heard !== undefined && heard !== `changed ${text}`) heard = await listener.next()
    t.equal(heard, `changed ${text}`)
  }
})

t.test('processes that create the database at once end up with the same one', async t => {
  for (let round = 0; round < 2; round++) {
    const folder = t.testdir()
    const file = join(folder, 'preau.db')
    const names = ['a', 'b', 'c']
    const children = names.map(name => start(t, [file, 'create', name]))
    await Promise.all(children.map(child => child.next()))
    for (const child of children) child.tell('go')
    t.same(await Promise.all(children.map(child => child.next())), ['done', 'done', 'done'])
    const store = await openSqliteStore(file)
    t.same((await store.list('latest')).map(({ id }) => id).sort(), names)
    await store.close()
    t.same(readdirSync(folder), ['preau.db'], 'no temporary file is left')
  }
})

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

t.test(
  'a full disk refuses the commit, and the next one works once there is room',
  { skip: hasPrlimit ? false : 'prlimit (package util-linux) is not installed' },
  async t => {
    const file = join(t.testdir(), 'preau.db')
    // A limit on the size of files stands for the disk: the write-ahead log meets it.
    const child = start(t, [file, 'fill'], ['prlimit', '--fsize=400000:unlimited'])
    let line = await child.next()
    let written = 0
    for (; line?.startsWith('ok') === true; line = await child.next()) written += 1
    t.equal(line, 'failed PREAU_STORE_UNAVAILABLE')
    spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
    child.tell('go on')
    t.equal(await child.next(), 'recovered')
    const store = await openSqliteStore(file, { check: true })
    t.teardown(() => store.close())
    t.equal(await store.count('latest'), written + 1, 'what was acknowledged, and no more')
  },
)

const NOBODY = 65_534
const mayBeNobody = spawnSync(process.execPath, [SCRIPT], { uid: NOBODY, cwd: '/' }).status === 0

t.test(
  'a file or folder without the rights is refused, saying so',
  { skip: mayBeNobody ? false : 'cannot start this program as another user (needs root)' },
  async t => {
    const folder = t.testdir({ closed: {}, open: {} })
    const file = join(folder, 'open', 'preau.db')
    await (await openSqliteStore(file)).close()
    chownSync(join(folder, 'open'), NOBODY, NOBODY)
    const ask = (path: string) => start(t, [path, 'open'], [], { uid: NOBODY, cwd: '/' }).next()
    t.equal(await ask(file), 'PREAU_STORE_UNREADABLE', 'a file of somebody else')
    chmodSync(join(folder, 'closed'), 0o755)
    t.equal(await ask(join(folder, 'closed', 'preau.db')), 'PREAU_STORE_UNREADABLE')
    t.same(readdirSync(join(folder, 'closed')), [], 'nothing was left there')
    chownSync(file, NOBODY, NOBODY)
    t.equal(await ask(file), 'opened', 'with the rights it opens')
  },
)
