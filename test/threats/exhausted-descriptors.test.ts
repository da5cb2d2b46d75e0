/** Case 120: a worker without a free descriptor keeps serving those it has, and the next ones once some are free. */
import t from 'tap'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as elapsed } from 'node:timers/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { cpuSeconds, notLinux as skip } from '../support/process-state.ts'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { runProgram, startProduct } from '../support/product.ts'

const SPIN_MS = 1_000

t.test('a worker out of descriptors keeps its tunnels and recovers', { skip }, async t => {
  const origin = createServer(socket => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const target = `free.test:${(origin.address() as AddressInfo).port}`
  const product = await startProduct(t, { names: ['free.test'] })
  const { port } = new URL(product.proxyUrl)
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const open = (): Socket => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    return socket
  }
  const before = open()
  t.match(await readUntil(before, '\r\n\r\n'), /^HTTP\/1\.1 200/)
  const workers = product.children()
  for (const pid of workers) {
    const limit = readdirSync(`/proc/${pid}/fd`).length + 40
    const { code } = await runProgram('prlimit', [`--pid=${pid}`, `--nofile=${limit}:${limit}`])
    t.equal(code, 0)
  }
  const flood = Array.from({ length: 200 }, open)
  const answers = await Promise.all(flood.map(socket => readUntil(socket, '\r\n\r\n')))
  t.ok(
    answers.some(answer => !answer.startsWith('HTTP/1.1 200')),
    'there is no place for all',
  )
  for (const answer of answers) t.match(answer, /^(?:HTTP\/1\.1 (?:200|503) |$)/)
  before.write('still here')
  t.equal(await readUntil(before, 'still here'), 'still here', 'a tunnel that stood goes on')
  // Those that found no place would come again and again: accept() must not spin on them (libuv#690).
  const spent = (): number => workers.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const spentBefore = spent()
  const idle = Array.from({ length: 200 }, open)
  await elapsed(SPIN_MS)
  const share = (spent() - spentBefore) / (SPIN_MS / 1_000)
  t.ok(share < 0.6, `${(share * 100).toFixed(0)} % of a processor`)
  for (const socket of [...flood, ...idle]) socket.destroy()
  const releasedAt = performance.now()
  let served = ''
  await eventually(() => [...flood, ...idle].every(socket => socket.closed))
  for (let i = 0; i < 20 && !served.startsWith('HTTP/1.1 200'); i++)
    served = await readUntil(open(), '\r\n\r\n')
  t.match(served, /^HTTP\/1\.1 200/, 'the next ones are served')
  t.comment(`measured: served ${(performance.now() - releasedAt).toFixed(0)} ms after release`)
  t.strictSame(product.children(), workers, 'by the same processes')
})

t.test('a connection that could not be accepted does not end the worker', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  // What Node says when even the spare descriptor of libuv was taken by somebody else.
  world.proxy.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  const request = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(request), /^HTTP\/1\.1 200/)
})
