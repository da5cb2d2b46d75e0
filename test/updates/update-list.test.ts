import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { explainHost, indexFile } from '../../src/categories/lists.ts'
import { loadConfig } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { activate, rollBack } from '../../src/policy/lists.ts'
import { followSnapshot } from '../../src/snapshot/follower.ts'
import { updateList, type UpdateRequest } from '../../src/updates/update-list.ts'
import { eventually } from '../support/proxy-world.ts'

const DAY = 86_400_000
const T0 = Date.UTC(2026, 10, 1)
const host = (text: string): Host => parseHost(text) ?? ('' as Host)
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}.example`)

async function openWorld(t: Test) {
  const dataDir = t.testdir()
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  let now = T0
  const clock = () => now
  const { store, catalogue } = await install(config, clock)
  t.teardown(() => store.close())
  const deps = { store, config, catalogue, clock }
  const tree = join(dataDir, 'tree')
  const write = (category: string, hosts: readonly string[]): void => {
    mkdirSync(join(tree, category), { recursive: true })
    writeFileSync(join(tree, category, 'domains'), `${hosts.join('\n')}\n`)
  }
  return {
    ...deps,
    dataDir,
    write,
    later: (ms = DAY) => (now += ms),
    logDay: (day: string, hosts: readonly string[]) => {
      mkdirSync(join(dataDir, 'access-log'), { recursive: true })
      const lines = hosts.map(name => JSON.stringify({ host: name })).join('\n')
      writeFileSync(join(dataDir, 'access-log', `access-${day}.jsonl`), `${lines}\n`)
    },
    update: (rest: Partial<UpdateRequest> = {}) =>
      updateList(deps, {
        path: tree,
        source: 'tree',
        name: 'ut1',
        by: 'cli',
        mode: 'auto',
        ...rest,
      }),
    lists: async () => {
      const stored = await store.get('lists', CURRENT)
      if (stored === undefined) throw new TypeError('no lists')
      return stored.body
    },
    candidate: async () => (await store.get('candidate', CURRENT))?.body,
  }
}

t.test('a list that comes for the first time is in force at once', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  const outcome = await w.update()
  t.match(outcome, { kind: 'activated', holds: [] })
  t.match(await w.lists(), { activatedBy: 'cli', lists: [{ name: 'preau' }, { name: 'ut1' }] })
})

t.test('a small update is in force by itself, and the day its entries came is told', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  await w.update()
  const cameAt = w.later()
  w.write('games', [...names('g', 500).slice(3), 'new.example'])
  const outcome = await w.update()
  t.equal(outcome.kind, 'activated')
  t.match(outcome.rehearsal?.categories, [
    { category: 'games', added: 1, removed: 3, addedSamples: ['new.example'] },
  ])
  const matches = (name: string) =>
    w.lists().then(version => explainHost({ dataDir: w.dataDir, version, host: host(name) }))
  t.match(await matches('new.example'), [{ line: 498, text: 'new.example', since: cameAt }])
  t.match(await matches('g100.example'), [{ since: T0, importedAt: cameAt }])
  w.later()
  w.write('games', [...names('g', 500).slice(3), 'new.example', 'newer.example'])
  await w.update()
  t.match(await matches('new.example'), [{ since: cameAt }], 'later updates remember')
})

t.test(
  'an update that drops much waits for a person, and the version in force goes on',
  async t => {
    const w = await openWorld(t)
    w.write('games', names('g', 1_000))
    await w.update()
    const before = await w.lists()
    w.later()
    w.write('games', names('g', 300))
    const outcome = await w.update()
    t.match(outcome, {
      kind: 'waiting',
      holds: [{ kind: 'removed', category: 'games', percent: 67 }],
    })
    t.equal((await w.lists()).id, before.id)
    const candidate = await w.candidate()
    t.match(candidate, { base: before.id, list: 'ut1', by: 'cli' })
    if (candidate === undefined) return
    const next = activate(before, candidate, 'claire', w.later())
    t.equal(next.previous?.id, before.id)
    t.equal(rollBack(next, 'claire', 0).id, before.id)
  },
)

t.test(
  'an update that would close sites which this city asks for waits, and names them',
  async t => {
    const w = await openWorld(t)
    w.write('games', names('g', 500))
    await w.update()
    w.later()
    const asked = names('lesson', 8)
    w.logDay('2026-11-01', [...asked, ...asked, 'other.example'])
    w.write('games', [...names('g', 500), ...asked])
    const outcome = await w.update()
    t.match(outcome.holds, [{ kind: 'seen', closes: 8, opens: 0 }])
    t.match(outcome.rehearsal?.seen[0], { host: 'lesson0.example', exchanges: 2, effect: 'closes' })
    t.match((await w.update({ mode: 'activate' })).kind, 'activated')
    t.equal(await w.candidate(), undefined, 'what waited is in force now')
  },
)

t.test('an update on top of one that waits waits with it', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 1_000))
  await w.update()
  w.later()
  w.write('games', names('g', 300))
  await w.update()
  w.later()
  const path = join(w.dataDir, 'own.txt')
  writeFileSync(path, 'own.example\n')
  const outcome = await w.update({ path, name: 'city', category: 'press' })
  t.match(outcome.holds[0], { kind: 'waiting' })
  const candidate = await w.candidate()
  t.same(
    candidate?.version.lists.map(list => list.name),
    ['preau', 'ut1', 'city'],
  )
})

t.test('what a person asked to look at first waits, whatever comes by itself at night', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  await w.update()
  w.later()
  w.write('games', names('g', 501))
  t.match((await w.update({ mode: 'hold' })).holds, [{ kind: 'asked' }])
  w.later()
  w.write('games', names('g', 502))
  t.match(await w.update({ by: 'system' }), { kind: 'waiting', holds: [{ kind: 'asked' }] })
})

t.test(
  'putting one list in force does not put in force the update of another that waits',
  async t => {
    const w = await openWorld(t)
    w.write('games', names('g', 1_000))
    await w.update()
    w.later()
    w.write('games', names('g', 300))
    await w.update()
    w.later()
    const path = join(w.dataDir, 'own.txt')
    writeFileSync(path, 'own.example\n')
    const own = { path, name: 'city', category: 'press', mode: 'activate' } as const
    t.equal((await w.update(own)).kind, 'activated')
    const { lists } = await w.lists()
    t.equal(lists.find(list => list.name === 'ut1')?.counts['games'], 1_000)
    t.equal(await w.candidate(), undefined, 'it was tried against a version that is gone')
  },
)

t.test('an update that swaps one page for another is a change, and can be taken back', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  const pages = join(w.dataDir, 'tree', 'games', 'urls')
  writeFileSync(pages, 'site.example/one\n')
  await w.update()
  const before = await w.lists()
  w.later()
  writeFileSync(pages, 'site.example/two\n')
  t.equal((await w.update()).kind, 'activated')
  t.equal((await w.lists()).previous?.id, before.id)
  w.later()
  t.equal((await w.update()).kind, 'unchanged')
})

t.test('an update that changes nothing keeps what there is to go back to', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  await w.update()
  const before = await w.lists()
  const at = w.later()
  t.equal((await w.update()).kind, 'unchanged')
  const after = await w.lists()
  t.equal(after.previous?.id, before.previous?.id)
  t.equal(after.lists.find(list => list.name === 'ut1')?.importedAt, at)
})

t.test(
  'of two updates at once one is told that the lists changed, and leaves nothing behind',
  async t => {
    const w = await openWorld(t)
    w.write('games', names('g', 500))
    const results = await Promise.allSettled([w.update(), w.update({ name: 'other' })])
    const failed = results.filter(result => result.status === 'rejected')
    t.match(failed, [{ reason: { code: 'PREAU_CONFLICT' } }])
    const version = await w.lists()
    const kept = readdirSync(join(w.dataDir, 'lists')).filter(name => /ut1|other/.test(name))
    t.same(
      kept,
      version.lists.flatMap(list => list.folder ?? []),
    )
  },
)

t.test(
  'a damaged index is replaced by the one before, with an alarm that ends when all is well',
  async t => {
    const w = await openWorld(t)
    w.write('games', names('g', 500))
    await w.update()
    w.later()
    w.write('games', [...names('g', 500), 'new.example'])
    await w.update()
    const lists = await w.lists()
    writeFileSync(indexFile(w.dataDir, lists), 'damage')
    const follow = () =>
      followSnapshot({ ...w, catalogue: loadCatalogue(), logger: pino({ enabled: false }) })
    const current = await follow()
    t.same(current.snapshot.categories(host('g1.example')), ['games'])
    t.same(current.snapshot.categories(host('new.example')), [], 'the version before decides')
    let alarms = await w.store.list('alarm')
    while (alarms.length === 0) alarms = await w.store.list('alarm')
    t.match(alarms, [{ body: { kind: 'index-damaged', subject: lists.index } }])
    await follow().then(second => second.close())
    t.equal(await w.store.count('alarm'), 1, 'one alarm however many processes meet it')
    const back = rollBack(await w.lists(), 'claire', w.later())
    await w.store.commit({ by: 'claire', action: 'lists.rollback', at: 0 }, [
      { kind: 'lists', id: CURRENT, body: back },
    ])
    await follow().then(third => third.close())
    t.equal(await w.store.count('alarm'), 0, 'the index in force can be read: the alarm is over')
    await current.close()
  },
)

t.test('when neither index can be read the filter does not start', async t => {
  const w = await openWorld(t)
  w.write('games', names('g', 500))
  await w.update()
  const lists = await w.lists()
  if (lists.previous === null) throw new TypeError('no version before')
  writeFileSync(indexFile(w.dataDir, lists), 'damage')
  writeFileSync(indexFile(w.dataDir, lists.previous), 'damage')
  const logger = pino({ enabled: false })
  await t.rejects(followSnapshot({ ...w, logger }), { code: 'PREAU_INDEX_DAMAGED' })
})

t.test('an update is followed by who decides, without a restart', async t => {
  const w = await openWorld(t)
  const current = await followSnapshot({ ...w, logger: pino({ enabled: false }) })
  w.write('games', ['fresh.example'])
  await w.update()
  await eventually(() => current.snapshot.categories(host('fresh.example'))[0] === 'games')
  t.pass('followed')
  await current.close()
})
