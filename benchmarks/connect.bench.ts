/** What does one tunnel cost: CONNECT, a small GET, close? CPU of the proxy's processes, against its peers in one run. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { startPlainRelay, startPreau, startSquid, type Contestant } from './support/contestants.ts'
import { cpuMicros, median, residentMegabytes } from './support/cpu.ts'

const NAME = 'bench.test'
const TUNNELS = 3_000
const AT_ONCE = 64
const ROUNDS = 5
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'

const origin = createServer(socket => {
  socket.on('error', () => undefined)
  socket.once('data', () => socket.end(ANSWER))
}).listen(0, '127.0.0.1')
await once(origin, 'listening')
const target = `${NAME}:${(origin.address() as AddressInfo).port}`

/** One tunnel; rejects unless the very answer of the origin comes back. */
function tunnel(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    socket.on('data', chunk => {
      const isFirst = !text.includes('\r\n\r\n')
      text += String(chunk)
      if (isFirst && text.includes('\r\n\r\n')) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    })
    socket.on('error', reject)
    socket.on('close', () => (text.endsWith(ANSWER) ? resolve() : reject(new Error(text))))
    socket.on('end', () => socket.end())
  })
}

async function load(port: number, count: number): Promise<void> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await tunnel(port)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const contestants = [await startPreau([NAME]), await startPlainRelay(), await startSquid()].filter(
  (contestant): contestant is Contestant => contestant !== undefined,
)
const costs = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
for (const { port } of contestants) await load(port, TUNNELS)
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, port, pid } of contestants) {
    const before = cpuMicros(pid)
    await load(port, TUNNELS)
    costs.get(name)?.push((cpuMicros(pid) - before) / TUNNELS)
  }
}
const ours = median(costs.get('Préau') ?? [])
console.log(`\nCONNECT + small GET + close, ${AT_ONCE} at a time, median of ${ROUNDS} x ${TUNNELS}`)
console.table(
  contestants.map(({ name, pid }) => {
    const micros = median(costs.get(name) ?? [])
    return {
      proxy: name,
      'CPU µs': Math.round(micros),
      'Préau / it': (ours / micros).toFixed(2),
      'resident MB': Math.round(residentMegabytes(pid)),
    }
  }),
)
for (const contestant of contestants) contestant.stop()
origin.close()
