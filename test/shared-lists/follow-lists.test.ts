/** The lists of one machine reach the others, and nothing is lost, doubled or believed that is not whole. */
import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { explainHost } from '../../src/categories/lists.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { rollBack } from '../../src/policy/lists.ts'
import { followLists } from '../../src/shared-lists/follow-lists.ts'
import { openMachines, until, type Machine } from './machines.ts'

const host = (text: string): Host => parseHost(text) ?? ('' as Host)
const note = { by: 'test', action: 'test', at: 0 }
const alarmKinds = async ({ store }: Machine): Promise<string[]> =>
  (await store.list('alarm')).map(({ body }) => body.kind)

t.test(
  'what is imported on one machine is here on the other, with all that explains it',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    t.same((await b.lists()).id, (await a.lists()).id, 'the second start builds nothing of its own')
    a.follow()
    b.follow()
    const { version } = await a.importHosts('own', ['a.example', 'b.example'])
    const startedAt = performance.now()
    await until(() => b.has(version))
    t.comment(
      `measured: the index is on the other machine ${Math.round(performance.now() - startedAt)} ms after the commit`,
    )
    t.equal(b.checksum(version.index), a.checksum(version.index))
    await until(() => b.names().some(name => name.endsWith('games.txt')))
    const { dataDir } = b.config
    const [match] = await explainHost({ dataDir, version, host: host('x.b.example') })
    t.match(match, { list: 'own', line: 2, text: 'b.example' })
    const again = await b.importHosts('own', ['a.example', 'c.example'])
    await until(() => a.has(again.version))
    await until(() => a.names().join() === b.names().join())
    t.notOk(
      a.names().some(name => name.endsWith('.fetching')),
      'and nothing that is half',
    )
    const lists = await a.lists()
    t.equal(lists.previous?.id, version.id)
  },
)

t.test('a version that waits and the way back are here before anybody needs them', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const first = await a.importHosts('own', ['a.example'])
  const second = await a.importHosts('own', ['b.example'])
  await a.importHosts('own', ['c.example'], { mode: 'hold' })
  const waiting = (await a.store.get('candidate', CURRENT))?.body
  const b = await machines.add('b')
  t.ok(b.has(second.version), 'the start waits for what is in force')
  t.notOk(b.has(first.version))
  b.follow()
  await until(() => b.has(first.version) && b.has(waiting?.version ?? { index: '-' }))
  t.pass()
})

t.test(
  'a rollback needs no transfer, and what no version names any more goes from everywhere',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    b.follow()
    const first = await a.importHosts('own', ['a.example'])
    const second = await a.importHosts('own', ['b.example'])
    await until(() => b.has(second.version) && b.has(first.version))
    const lists = await b.store.get('lists', CURRENT)
    if (lists === undefined) throw new Error('no lists')
    const body = rollBack(lists.body, 'test', 0)
    await b.store.commit(note, [{ kind: 'lists', id: CURRENT, expects: lists.version, body }])
    t.equal((await a.lists()).id, first.version.id)
    t.ok(a.has(first.version) && b.has(first.version))
    // As if it had lain there for an hour: what is younger may be at work.
    utimesSync(b.path(first.version.index), 0, 0)
    const third = await a.importHosts('own', ['c.example'])
    const fourth = await a.importHosts('own', ['d.example'])
    await until(() => b.has(fourth.version) && !b.has(first.version))
    t.ok(b.has(third.version))
    t.ok(a.has(first.version), 'where it is younger it stays')
    const shared = await b.files.list()
    t.ok(
      shared.has(first.version.index),
      'in the store an hour longer: it could be about to be named',
    )
    // As if that hour had passed.
    const key = '{preau}:files'
    for (const name of shared.keys()) {
      const manifest = JSON.parse(machines.redis.cli('hget', key, name)) as { at: number }
      machines.redis.cli(
        'hset',
        key,
        name,
        JSON.stringify({ ...manifest, at: manifest.at - 3_601_000 }),
      )
    }
    const fifth = await a.importHosts('own', ['e.example'])
    t.same(
      [...(await a.files.list()).keys()].filter(name => name.startsWith('index-')).sort(),
      [fourth.version.index, fifth.version.index].sort(),
    )
  },
)

t.test(
  'files that were deleted by hand come back, and a store that lost them gets them back',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const { version } = await a.importHosts('own', ['a.example'])
    rmSync(a.path(version.index))
    rmSync(a.path(version.lists.at(-1)?.folder ?? ''), { recursive: true })
    const first = a.follow()
    await until(() => a.has(version) && a.names().some(name => name.endsWith('games.txt')))
    await first.stop()
    machines.redis.cli('del', '{preau}:files')
    a.follow()
    await until(async () => (await a.files.list()).size >= 3)
    t.ok((await a.files.list()).has(version.index))
  },
)

t.test(
  'a damaged chunk is refused, alarmed, and replaced by a machine that has the file whole',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    const { version } = await a.importHosts('own', ['a.example'])
    const { redis } = machines
    const manifest = JSON.parse(redis.cli('hget', '{preau}:files', version.index)) as {
      upload: string
    }
    redis.cli('setrange', `{preau}:chunk:${manifest.upload}:0`, '20', 'XXXX')
    b.follow(200)
    await until(async () => (await alarmKinds(b)).includes('shared-file-damaged'))
    t.notOk(b.has(version), 'what is damaged gets no name on the disk')
    t.same((await alarmKinds(a)).sort(), ['lists-late', 'shared-file-damaged'])
    const [alarm] = await a.store.list('alarm')
    t.match(alarm?.body, { subject: version.index, machine: /:.*\/b$/ })
    a.follow()
    await until(() => b.has(version))
    t.equal(b.checksum(version.index), a.checksum(version.index))
    await until(async () => (await alarmKinds(a)).length === 0)
    t.pass('and the alarms are over')
  },
)

t.test('Redis that goes away in the middle costs a delay, and the log one line', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  b.follow()
  const { version } = await a.importHosts(
    'own',
    Array.from({ length: 400_000 }, (_, i) => `h${i}.example`),
  )
  await machines.redis.kill()
  t.notOk(b.has(version))
  await new Promise(resolve => setTimeout(resolve, 500))
  await machines.redis.start()
  await until(() => b.has(version))
  t.equal(b.checksum(version.index), a.checksum(version.index))
  t.ok(b.said.length <= 1, b.said.join('\n'))
})

t.test('what decides on a machine stays there until what replaces it has come', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const open = await b.lists()
  utimesSync(b.path(open.index), 0, 0)
  await a.importHosts('own', ['a.example'])
  const { version } = await a.importHosts('own', ['b.example'])
  await a.files.drop([version.index])
  b.follow(100)
  await until(async () => (await alarmKinds(b)).includes('lists-late'))
  t.ok(b.has(open), 'although no version names it any more')
  a.follow()
  await until(() => b.has(version) && !b.has(open))
  await until(async () => (await alarmKinds(b)).length === 0)
})

t.test('two admin processes of one machine do not disturb each other', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const twin = await machines.add('b')
  b.follow()
  twin.follow()
  for (let i = 0; i < 3; i++) {
    const { version } = await a.importHosts('own', [`a${i}.example`])
    await until(() => b.has(version))
  }
  await until(() => b.names().join() === a.names().join())
  t.same([...b.said, ...twin.said], [])
})

t.test(
  'a machine that is stopped in the middle of a fetch leaves nothing that looks whole',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    await a.importHosts(
      'own',
      Array.from({ length: 400_000 }, (_, i) => `h${i}.example`),
    )
    const follower = b.follow()
    await until(() => b.names().some(name => name.endsWith('.fetching')))
    await follower.stop()
    t.notOk(b.names().some(name => name.endsWith('.fetching')))
  },
)

t.test('a machine that has the store to itself exchanges nothing', async t => {
  const { openSqliteStore } = await import('../../src/store/sqlite-store.ts')
  const dataDir = t.testdir()
  const store = await openSqliteStore(`${dataDir}/preau.db`)
  t.teardown(() => store.close())
  writeFileSync(`${dataDir}/x`, '')
  await followLists({
    store,
    config: { dataDir },
    clock: Date.now,
    logger: { warn: () => t.fail() } as never,
  }).stop()
  t.equal(store.files, undefined)
})
