import t, { type Test } from 'tap'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createResolver } from '../../src/proxy/resolver.ts'
import { host } from '../support/snapshot.ts'

/** A DNS server (RFC 1035) that answers A questions from a table, and NXDOMAIN for the rest. */
async function openDns(
  t: Test,
  table: Record<string, number[]>,
): Promise<{ server: string; asked: string[] }> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (question, from) => {
    const labels: string[] = []
    let at = 12
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.subarray(at + 1, at + 1 + length).toString())
      at += length + 1
    }
    const isA = question.readUInt16BE(at + 1) === 1
    const name = labels.join('.')
    if (isA) asked.push(name)
    const address = isA ? table[name] : undefined
    const head = Buffer.from(question.subarray(0, 12))
    head.writeUInt16BE(table[name] ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(address ? 1 : 0, 6)
    head.fill(0, 8, 12)
    const answer = address
      ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address])
      : Buffer.alloc(0)
    socket.send(
      Buffer.concat([head, question.subarray(12, at + 5), answer]),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { server: `127.0.0.1:${socket.address().port}`, asked }
}

const options = { maxEntries: 100, ttlMs: 60_000, timeoutMs: 4_000 }

t.test('the DNS servers of the configuration are asked instead of the system’s', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': [192, 0, 2, 7] })
  const resolve = createResolver({ servers: [server], ...options })
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  await t.rejects(async () => resolve(host('absent.test')), { code: 'PREAU_NAME_NOT_FOUND' })
  t.strictSame(await resolve(host('ent.test')), ['192.0.2.7'])
  t.strictSame(asked, ['ent.test', 'absent.test'], 'an answer is kept, and not asked for twice')
})

t.test('many questions for one name are one question', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': [192, 0, 2, 7] })
  const resolve = createResolver({ servers: [server], ...options })
  await Promise.all(Array.from({ length: 50 }, async () => resolve(host('ent.test'))))
  t.strictSame(asked, ['ent.test'])
})

t.test('an answer is kept for its time and no longer', async t => {
  const { server, asked } = await openDns(t, { 'ent.test': [192, 0, 2, 7] })
  const resolve = createResolver({ servers: [server], ...options, ttlMs: 30 })
  await resolve(host('ent.test'))
  await new Promise(done => setTimeout(done, 60))
  await resolve(host('ent.test'))
  t.equal(asked.length, 2)
})

t.test('the cache keeps no more names than it may', async t => {
  const table = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`n${i}.test`, [192, 0, 2, i]]),
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
