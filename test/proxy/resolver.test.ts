import t from 'tap'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createResolver } from '../../src/proxy/resolver.ts'
import { openDns } from '../support/dns-server.ts'
import { host } from '../support/snapshot.ts'

const options = { maxEntries: 100, ttlMs: 60_000, timeoutMs: 4_000 }

t.test('the DNS servers of the configuration are asked instead of the system’s', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = createResolver({ servers: [server], ...options })
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  await t.rejects(async () => resolve(host('absent.test')), { code: 'PREAU_NAME_NOT_FOUND' })
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  t.strictSame(asked, ['ent.test', 'absent.test'], 'an answer is kept, and not asked for twice')
})

t.test('many questions for one name are one question', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = createResolver({ servers: [server], ...options })
  await Promise.all(Array.from({ length: 50 }, async () => resolve(host('ent.test'))))
  t.strictSame(asked, ['ent.test'])
})

t.test('an answer is kept for its time and no longer', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': ['192.0.2.7'] })
  const resolve = createResolver({ servers: [server], ...options, ttlMs: 30 })
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
  const resolve = createResolver({ servers: [server], ...options, maxEntries: 5 })
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
  const resolve = createResolver({
    servers: [`127.0.0.1:${socket.address().port}`],
    ...options,
    timeoutMs: 1_000,
  })
  await t.rejects(async () => resolve(host('slow.test')), { code: 'PREAU_DIAL_TIMEOUT' })
})
