/** Case 120: a worker without a free descriptor keeps serving those it has, and the next ones once some are free. */
import t from 'tap'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { eventually, readUntil } from '../support/proxy-world.ts'
import { runProgram, startProduct } from '../support/product.ts'

const skip = process.platform === 'linux' ? false : 'prlimit and /proc are of Linux'

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
  for (const socket of flood) socket.destroy()
  let served = ''
  await eventually(() => flood.every(socket => socket.closed))
  for (let i = 0; i < 20 && !served.startsWith('HTTP/1.1 200'); i++)
    served = await readUntil(open(), '\r\n\r\n')
  t.match(served, /^HTTP\/1\.1 200/, 'the next ones are served')
  t.strictSame(product.children(), workers, 'by the same processes')
})
