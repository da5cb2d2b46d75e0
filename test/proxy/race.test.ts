import t, { type Test } from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Deadlines } from '../../src/proxy/deadlines.ts'
import { race } from '../../src/proxy/race.ts'
import { host } from '../support/snapshot.ts'

const deadlines = new Deadlines(400)
type Outcome = { won: Socket | undefined; error: NodeJS.ErrnoException | undefined }
const run = (addresses: string[], port: number, timeoutMs = 2_000): Promise<Outcome> =>
  new Promise(resolve => {
    race(addresses.map(host), { port, timeoutMs, deadlines }, (won, error) =>
      resolve({ won, error }),
    )
  })

async function listen(t: Test, address: string, port = 0): Promise<number> {
  const server = createServer(socket => socket.on('error', () => undefined))
  server.listen(port, address)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/**
 * Something that never answers: a process that listens and is stopped, its queue of connections full. Returns what ends
 * it: whoever asks again is refused from then on.
 */
async function listenMute(t: Test, address: string, port: number): Promise<() => void> {
  const code = `require('net').createServer().listen({port:${port},host:'${address}',backlog:1},()=>console.log('up'))`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGSTOP')
  for (let i = 0; i < 8; i++) {
    const socket = connect({ port, host: address })
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
  }
  await new Promise(resolve => setTimeout(resolve, 100))
  return () => child.kill('SIGKILL')
}

t.test('the next address is tried at once where one refuses', async t => {
  const port = await listen(t, '127.0.0.1')
  const { won } = await run(['127.0.0.9', '127.0.0.8', '127.0.0.1'], port)
  t.equal(won?.remoteAddress, '127.0.0.1')
  won?.destroy()
})

t.test('an address of the other family is tried too', async t => {
  const port = await listen(t, '127.0.0.1')
  const { won } = await run(['::1', '127.0.0.1'], port)
  t.equal(won?.remoteAddress, '127.0.0.1')
  won?.destroy()
})

t.test('an address that is mute gets a head start only', async t => {
  const port = await listen(t, '127.0.0.1')
  await listenMute(t, '127.0.0.2', port)
  const { won } = await run(['127.0.0.2', '127.0.0.1'], port)
  t.equal(won?.remoteAddress, '127.0.0.1')
  won?.destroy()
})

t.test('when all refuse the reason is told, when all are mute the time runs out', async t => {
  const port = await listen(t, '127.0.0.1')
  const refused = await run(['127.0.0.8', '127.0.0.9'], port)
  t.equal(refused.won, undefined)
  t.equal(refused.error?.code, 'ECONNREFUSED')
  await listenMute(t, '127.0.0.2', port)
  for (const addresses of [['127.0.0.2'], ['127.0.0.2', '127.0.0.2']]) {
    const mute = await run(addresses, port, 300)
    t.equal(mute.won, undefined)
    t.equal(mute.error, undefined)
  }
})

t.test('the time is for all together, also where some say no late', async t => {
  const port = await listen(t, '127.0.0.1')
  const end = await listenMute(t, '127.0.0.2', port)
  await listenMute(t, '127.0.0.3', port)
  const timeoutMs = 1_600
  const startedAt = performance.now()
  const racing = run(
    [...Array.from({ length: 4 }, () => '127.0.0.2'), '127.0.0.3'],
    port,
    timeoutMs,
  )
  // Linux asks again after a second, and is refused then: by and by all but the last.
  setTimeout(end, 850)
  const { won, error } = await racing
  const ms = performance.now() - startedAt
  t.equal(won, undefined)
  t.equal(error?.code, 'ECONNREFUSED', 'the first has said no, and was not waited for alone')
  t.comment(`measured: ${ms.toFixed(0)} ms of ${timeoutMs}`)
  // The last begins a second after the first: with a time of its own it would end a second late.
  t.ok(ms < timeoutMs + 600, 'it ends when the time is up')
})

t.test('the one that was first is kept, the others are let go', async t => {
  const port = await listen(t, '127.0.0.1')
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => run(['127.0.0.1', '127.0.0.1'], port)),
  )
  for (const { won } of outcomes) {
    t.ok(won && !won.destroyed)
    won?.destroy()
  }
})
