/** What does a gigabyte cost? Four tunnels down, then four up, every byte checked; CPU of each proxy in one run. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { startPlainRelay, startPreau, startSquid, type Contestant } from './support/contestants.ts'
import { cpuMicros, median, residentMegabytes } from './support/cpu.ts'

const NAME = 'bench.test'
const GIGABYTE = 2 ** 30
const TUNNELS = 4
const ROUNDS = 3
const DOWN_BYTES = 3 * GIGABYTE
const UP_BYTES = GIGABYTE
/** Its length is no multiple of any buffer: bytes that move by one are seen. */
const PATTERN = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 255))

/** Writes `bytes` bytes of the pattern, waiting for the reader. */
async function send(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    const part = left < PATTERN.length ? PATTERN.subarray(0, left) : PATTERN
    left -= part.length
    if (!socket.write(part)) await once(socket, 'drain')
  }
}

/** Compares what comes with the pattern; answers how much has come, or throws at the first wrong byte. */
function createCheck(): (chunk: Buffer) => number {
  const twice = Buffer.concat([PATTERN, PATTERN])
  let seen = 0
  return chunk => {
    for (let at = 0; at < chunk.length;) {
      const offset = seen % PATTERN.length
      const part = chunk.subarray(at, at + PATTERN.length)
      if (!twice.subarray(offset, offset + part.length).equals(part))
        throw new Error(`a wrong byte near ${seen}`)
      at += part.length
      seen += part.length
    }
    return seen
  }
}

// The first byte says what is wanted: `d` and a number of bytes, or `u` and a number that will come.
const origin = createServer(socket => {
  socket.on('error', () => undefined)
  socket.once('data', (order: Buffer) => {
    const [, way, count] = /^([du])(\d+);/.exec(order.toString('latin1')) ?? []
    const bytes = Number(count)
    if (way === 'd') void send(socket, bytes).then(() => socket.end())
    else {
      const check = createCheck()
      socket.write('+')
      socket.on('data', (chunk: Buffer) => {
        if (check(chunk) === bytes) socket.end('all')
      })
    }
  })
}).listen(0, '127.0.0.1')
await once(origin, 'listening')
const target = `${NAME}:${(origin.address() as AddressInfo).port}`

async function openTunnel(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!head.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(String(head))
  return socket
}

async function down(port: number, bytes: number): Promise<void> {
  const socket = await openTunnel(port)
  const check = createCheck()
  let seen = 0
  socket.on('data', (chunk: Buffer) => (seen = check(chunk)))
  socket.write(`d${bytes};`)
  await once(socket, 'close')
  if (seen !== bytes) throw new Error(`${seen} of ${bytes} bytes came down`)
}

async function up(port: number, bytes: number): Promise<void> {
  const socket = await openTunnel(port)
  socket.write(`u${bytes};`)
  await once(socket, 'data')
  const answer = once(socket, 'data')
  await send(socket, bytes)
  if (String((await answer)[0]) !== 'all') throw new Error('not all bytes went up')
  socket.destroy()
}

type Way = (port: number, bytes: number) => Promise<void>

/** CPU milliseconds of a gigabyte. */
async function costOf({ pid, port }: Contestant, way: Way, bytes: number): Promise<number> {
  const before = cpuMicros(pid)
  await Promise.all(Array.from({ length: TUNNELS }, () => way(port, Math.floor(bytes / TUNNELS))))
  return ((cpuMicros(pid) - before) / 1_000 / bytes) * GIGABYTE
}

const contestants = [await startPreau([NAME]), await startPlainRelay(), await startSquid()].filter(
  (contestant): contestant is Contestant => contestant !== undefined,
)
const costs = new Map(
  contestants.map(({ name }) => [name, { down: [] as number[], up: [] as number[] }]),
)
for (let round = 0; round < ROUNDS; round++) {
  for (const contestant of contestants) {
    const own = costs.get(contestant.name)
    own?.down.push(await costOf(contestant, down, DOWN_BYTES / ROUNDS))
    own?.up.push(await costOf(contestant, up, UP_BYTES / ROUNDS))
  }
}
const of = (name: string): { down: number; up: number; all: number } => {
  const own = costs.get(name)
  const [d, u] = [median(own?.down ?? []), median(own?.up ?? [])]
  return { down: d, up: u, all: (3 * d + u) / 4 }
}
const ours = of('Préau')
console.log(
  `\n3 GB down and 1 GB up through ${TUNNELS} tunnels, all bytes right, median of ${ROUNDS}`,
)
console.table(
  contestants.map(({ name, pid }) => {
    const own = of(name)
    return {
      proxy: name,
      'down, CPU ms/GB': Math.round(own.down),
      'up, CPU ms/GB': Math.round(own.up),
      'Préau / it, down': (ours.down / own.down).toFixed(2),
      'up ': (ours.up / own.up).toFixed(2),
      'all 4 GB': (ours.all / own.all).toFixed(2),
      'resident MB': Math.round(residentMegabytes(pid)),
    }
  }),
)
for (const contestant of contestants) contestant.stop()
origin.close()
