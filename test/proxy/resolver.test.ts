import t, { type Test } from 'tap'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Host } from '../../src/policy/host.ts'
import { createResolver, isWaiting, type Resolver } from '../../src/proxy/resolver.ts'
import { Shares, type Sharer } from '../../src/proxy/shares.ts'
import { openDns } from '../support/dns-server.ts'
import { host } from '../support/snapshot.ts'

/** As a promise. */
function asking(resolver: Resolver): (host: Host, client?: Sharer) => Promise<readonly Host[]> {
  return (name, client) =>
    new Promise((done, failed) => {
      const found = resolver.resolve(name, client, (addresses, error) =>
        addresses === undefined ? failed(error) : done(addresses),
      )
      if (!isWaiting(found)) done(found)
    })
}

const options = { maxEntries: 100, ttlMs: 60_000, timeoutMs: 4_000 }

t.test('the DNS servers of the configuration are asked instead of the system’s', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = asking(createResolver({ servers: [server], ...options }))
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  await t.rejects(async () => resolve(host('absent.test')), { code: 'PREAU_NAME_NOT_FOUND' })
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  t.strictSame(asked, ['ent.test', 'absent.test'], 'an answer is kept, and not asked for twice')
})

t.test('many questions for one name are one question', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = asking(createResolver({ servers: [server], ...options }))
  await Promise.all(Array.from({ length: 50 }, () => resolve(host('ent.test'))))
  t.strictSame(asked, ['ent.test'])
})

t.test('an answer is kept for its time and no longer', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = asking(createResolver({ servers: [server], ...options, ttlMs: 30 }))
  await resolve(host('ent.test'))
  await new Promise(done => setTimeout(done, 60))
  await resolve(host('ent.test'))
  t.equal(asked.length, 2)
})

t.test('the cache keeps no more names than it may', async t => {
  const table = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`n${i}.test`, [`192.0.2.${i}`]]),
  )
  const { server, asked } = await openDns(t, table)
  const resolve = asking(createResolver({ servers: [server], ...options, maxEntries: 5 }))
  for (let i = 0; i < 20; i++) await resolve(host(`n${i}.test`))
  await resolve(host('n19.test'))
  t.equal(asked.length, 20)
  await resolve(host('n0.test'))
  t.equal(asked.length, 21, 'the oldest was forgotten')
})

t.test('a DNS that does not answer is a time that ran out, not a missing name', async t => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const resolve = asking(
    createResolver({
      servers: [`127.0.0.1:${socket.address().port}`],
      ...options,
      timeoutMs: 1_000,
    }),
  )
  await t.rejects(async () => resolve(host('slow.test')), { code: 'PREAU_DIAL_TIMEOUT' })
})

/** A DNS server that never says anything, and counts the questions. */
async function openMute(t: Test): Promise<{ server: string; asked: () => number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  let asked = 0
  socket.on('message', () => asked++)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { server: `127.0.0.1:${socket.address().port}`, asked: () => asked }
}

const pc = (ip: string, site = 'school'): Sharer => ({ ip: host(ip), site })

t.test('a question ends with the last client that waits for it', async t => {
  const { server } = await openMute(t)
  const shares = new Shares({ all: 10, perPc: 1, schools: () => 2 })
  const resolver = createResolver({ servers: [server], ...options, shares })
  const told: unknown[] = []
  const ask = () => {
    const found = resolver.resolve(host('mute.test'), pc('192.0.2.1'), (...end) => told.push(end))
    if (!isWaiting(found)) throw new Error('it cannot be known')
    return found
  }
  const [first, second] = [ask(), ask()]
  first.abandon()
  first.abandon()
  t.equal(resolver.pending, 1, 'one client still waits')
  second.abandon()
  t.equal(resolver.pending, 0)
  t.equal(shares.held, 0, 'and the PC may ask again')
  t.strictSame(told, [], 'who has left is told nothing')
})

t.test('a PC that waits for many names keeps no other PC from asking', async t => {
  const { server } = await openMute(t)
  const limited: string[] = []
  const shares = new Shares({ all: 100, perPc: 5, schools: () => 2 })
  const resolver = createResolver({
    servers: [server],
    ...options,
    shares,
    onLimit: name => limited.push(name),
  })
  const ask = (name: string, client: Sharer): void =>
    void resolver.resolve(host(name), client, () => undefined)
  for (let i = 0; i < 5; i++) ask(`n${i}.mute.test`, pc('192.0.2.1'))
  t.throws(() => ask('n5.mute.test', pc('192.0.2.1')), { code: 'PREAU_OVERLOADED' })
  t.strictSame(limited, ['lookupsPerClient'])
  t.doesNotThrow(
    () => ask('n0.mute.test', pc('192.0.2.1')),
    'a name that is asked for costs nothing',
  )
  t.doesNotThrow(() => ask('other.mute.test', pc('192.0.2.2')))
})

t.test('a DNS that is mute for one kind of address does not hide the other', async t => {
  const { server } = await openDns(
    t,
    { 'ent.test': ['192.0.2.7'] },
    {
      isMuteFor: (_name, type) => type === 'AAAA',
    },
  )
  const resolve = asking(createResolver({ servers: [server], ...options }))
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
})

t.test('the names of /etc/hosts are known without a question', async t => {
  const { server, asked } = await openMute(t)
  const resolve = asking(createResolver({ servers: [server], ...options }))
  t.strictSame(await resolve(host('localhost')), ['127.0.0.1'])
  t.equal(asked(), 0)
})
