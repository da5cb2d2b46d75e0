/** A machine that starts on a store that others use: it takes over their lists and has their CA, and makes none of its own. */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  authorityDir,
  installAuthority,
  recordAuthority,
  reopenAuthority,
} from '../../src/install-authority.ts'
import { activateCertificate, prepareCertificate } from '../../src/admin/certificate-acts.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { openMachines, type Machine } from './machines.ts'

const note = { by: 'test', action: 'test', at: 0 }
const now = Date.now()
const open = ({ config, store }: Machine) => installAuthority(config, store, now)
const installation = async ({ store }: Machine) => (await store.get('installation', CURRENT))?.body

/** As another Préau, with other starter lists, has left it. */
async function pretendOther(machine: Machine, digest: string): Promise<void> {
  const lists = await machine.store.get('lists', CURRENT)
  if (lists === undefined) throw new Error('no lists')
  const body = { ...lists.body, starterDigest: digest }
  await machine.store.commit(note, [{ kind: 'lists', id: CURRENT, expects: lists.version, body }])
}

t.test('two machines that start at once on an empty store end with the same lists', async t => {
  const machines = await openMachines(t)
  const [a, b] = await Promise.all([machines.add('a'), machines.add('b')])
  const lists = await a.lists()
  t.ok(a.has(lists) && b.has(lists))
  t.equal(a.checksum(lists.index), b.checksum(lists.index))
  t.same(
    a.names().filter(name => name.endsWith('.bin')),
    b.names().filter(name => name.endsWith('.bin')),
  )
  t.same([...(await a.files.list()).keys()], [lists.index], 'of what was built twice one is left')
})

t.test(
  'a machine with an empty folder takes what is in force, and commits nothing over it',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const { version } = await a.importHosts(
      'own',
      Array.from({ length: 100_000 }, (_, i) => `h${i}.example`),
    )
    const before = (await a.store.get('lists', CURRENT))?.version
    const steps: [number, number][] = []
    const { store } = await install(machines.configOf('b'), Date.now, {
      onProgress: (done, total) => steps.push([done, total]),
    })
    t.teardown(() => store.close())
    t.equal((await store.get('lists', CURRENT))?.version, before)
    const b = await machines.add('b')
    t.equal(b.checksum(version.index), a.checksum(version.index))
    t.same(steps.at(-1)?.[0], steps.at(-1)?.[1], 'and it was told how far it is')
  },
)

t.test('lists that are nowhere any more stop the start, until somebody gives them up', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const { version } = await a.importHosts('own', ['own.example'])
  machines.redis.cli('del', '{preau}:files')
  await t.rejects(machines.add('b'), {
    code: 'PREAU_LISTS_ELSEWHERE',
    params: { name: /^own-.*games\.txt$/ },
  })
  t.equal((await a.lists()).id, version.id, 'nothing was committed over them')
  const { store } = await install(machines.configOf('b'), Date.now, { mayLoseLists: true })
  t.teardown(() => store.close())
  const lists = (await store.get('lists', CURRENT))?.body
  t.same(
    lists?.lists.map(({ name }) => name),
    ['preau'],
  )
  t.match(await store.tail({ limit: 1 }), [{ action: 'lists.starter', detail: { missing: 'own' } }])
})

t.test('an index that is nowhere is built anew from kept texts that are', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const { version } = await a.importHosts('own', ['own.example'])
  await a.files.drop([version.index])
  const b = await machines.add('b')
  const lists = await b.lists()
  t.not(lists.id, version.id)
  t.same(lists.lists.map(({ name }) => name).sort(), ['own', 'preau'])
  t.ok((await a.files.list()).has(lists.index), 'and published')
})

t.test('starter lists of two versions of Préau do not replace each other for ever', async t => {
  const machines = await openMachines(t)
  const newer = await machines.add('a')
  const digest = (await newer.lists()).starterDigest
  await pretendOther(newer, 'of-an-older-preau')
  await machines.add('b')
  const upgraded = await newer.lists()
  t.equal(upgraded.starterDigest, digest, 'the one that starts with others replaces them')
  t.same((await installation(newer))?.replacedStarters, ['of-an-older-preau'])
  // Now this Préau is the older one.
  await pretendOther(newer, 'of-a-newer-preau')
  const known = await newer.store.get('installation', CURRENT)
  const body = { replacedStarters: ['of-an-older-preau', digest] }
  await newer.store.commit(note, [
    { kind: 'installation', id: CURRENT, expects: known?.version ?? 'absent', body },
  ])
  const before = (await newer.store.get('lists', CURRENT))?.version
  await machines.add('c')
  t.equal(
    (await newer.store.get('lists', CURRENT))?.version,
    before,
    'what was replaced once stays away',
  )
})

t.test('there is one CA: a machine without it refuses to start, and says what to copy', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const first = await open(a)
  t.equal((await installation(a))?.caFingerprint, first.fingerprint256)
  await t.rejects(open(b), {
    code: 'PREAU_CA_ELSEWHERE',
    params: { folder: authorityDir(b.config), recorded: first.fingerprint256 },
  })
  t.notOk(existsSync(authorityDir(b.config)), 'and has made none')
  await t.rejects(reopenAuthority(b.config, b.store, now), { code: 'PREAU_CA_ELSEWHERE' })
  cpSync(authorityDir(a.config), authorityDir(b.config), { recursive: true })
  t.equal((await open(b)).fingerprint256, first.fingerprint256)
  rmSync(join(authorityDir(b.config), 'ca.pem'))
  t.equal((await open(b)).fingerprint256, first.fingerprint256, 'the certificate is in the store')
  rmSync(join(authorityDir(b.config), 'ca.key'))
  await t.rejects(open(b), { code: 'PREAU_CA_ELSEWHERE' }, 'the key is not')
  t.notOk(existsSync(join(authorityDir(b.config), 'ca.key')))
})

t.test('another CA than that of the city is refused, until somebody records it', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const { openAuthority } = await import('../../src/tls/authority.ts')
  const own = await openAuthority(authorityDir(b.config), { cityName: 'x', now })
  const first = await open(a)
  await t.rejects(open(b), {
    code: 'PREAU_CA_DIFFERS',
    params: { found: own.fingerprint256, recorded: first.fingerprint256 },
  })
  t.equal(
    (await reopenAuthority(b.config, b.store, now)).fingerprint256,
    own.fingerprint256,
    'a worker that comes back goes on with what PCs may know',
  )
  await recordAuthority(b.config, b.store, now)
  t.equal((await open(b)).fingerprint256, own.fingerprint256)
  await t.rejects(open(a), { code: 'PREAU_CA_DIFFERS' })
  const [entry] = await a.store.tail({ limit: 1 })
  t.match(entry, { by: 'cli', action: 'ca.record', subject: own.fingerprint256 })
})

t.test(
  'of two machines that make a CA at once one is the city’s, and the other says so',
  async t => {
    const machines = await openMachines(t)
    const [a, b] = await Promise.all([machines.add('a'), machines.add('b')])
    const outcomes = await Promise.allSettled([open(a), open(b)])
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    const refused = outcomes.find(outcome => outcome.status === 'rejected')
    t.match(refused?.reason, { code: /^PREAU_CA_(?:DIFFERS|ELSEWHERE)$/ })
  },
)

t.test('a certificate that is put in use on one machine is followed by all', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const first = await open(a)
  cpSync(authorityDir(a.config), authorityDir(b.config), { recursive: true })
  const actor = { by: 'Claire', now }
  const next = await prepareCertificate(a.store, authorityDir(a.config), actor)
  t.equal((await open(b)).fingerprint256, first.fingerprint256, 'until somebody says so')
  await activateCertificate(b.store, actor)
  t.equal((await open(a)).fingerprint256, next.fingerprint)
  t.equal((await open(b)).fingerprint256, next.fingerprint)
  const entries = await a.store.tail({ limit: 2 })
  t.match(entries, [
    { by: 'Claire', action: 'ca.activate', subject: next.fingerprint },
    { by: 'Claire', action: 'ca.prepare', subject: next.fingerprint },
  ])
  t.notMatch(JSON.stringify(await installation(a)), 'PRIVATE', 'the key is in no store')
})
