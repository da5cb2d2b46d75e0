/** Case 125: a DNS that fails in every way. Each has its status and its page, in time, and nobody else notices. */
import t, { type Test } from 'tap'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { eventually, openOrigin } from '../support/proxy-world.ts'
import { runProgram, startProduct } from '../support/product.ts'

const DIAL_MS = 2_500
// Shorter than the patience of c-ares, which learns from how quick a server was before.
const LATE_MS = 100
const MANY = 1_000

const A = 1
const CNAME = 5
const NO_ERROR = 0
const SERVER_FAILURE = 2
const NO_SUCH_NAME = 3

/** One record for the name of the question (RFC 1035 §4.1.3). */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 0])
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

const LOOPBACK = record(A, Buffer.from([127, 0, 0, 1]))
// The name is an alias of itself.
const LOOP = record(CNAME, Buffer.from([0xc0, 12]))

function answerTo(question: Buffer, code: number, records: readonly Buffer[]): Buffer {
  let end = 12
  for (let length = question[end] ?? 0; length > 0; length = question[end] ?? 0) end += length + 1
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(records.length, 6)
  head.fill(0, 8, 12)
  return Buffer.concat([head, question.subarray(12, end + 5), ...records])
}

/** What is answered to a question of type A by the first label of its name; undefined: nothing, ever. */
function answerOf(question: Buffer): Buffer | undefined {
  const label = question.subarray(13, 13 + (question[12] ?? 0)).toString()
  const isA = question.subarray(13).includes(Buffer.from([0, 0, A, 0, 1]))
  if (label === 'mute') return undefined
  if (label === 'broken') return answerTo(question, SERVER_FAILURE, [])
  if (label === 'missing') return answerTo(question, NO_SUCH_NAME, [])
  if (label === 'garbage') return Buffer.concat([question.subarray(0, 2), Buffer.alloc(40, 0xff)])
  if (label === 'loop') return answerTo(question, NO_ERROR, [LOOP])
  const count = label === 'many' ? MANY : 1
  return answerTo(question, NO_ERROR, isA ? Array<Buffer>(count).fill(LOOPBACK) : [])
}

const isLate = (question: Buffer): boolean => question.includes('late')

/** The same port for both; one that somebody else has of one kind is left to them. */
async function listenOnBoth(tcp: Server, udp: UdpSocket): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    udp.bind(port, '127.0.0.1')
    const isFree = await once(udp, 'listening').then(
      () => true,
      () => false,
    )
    if (isFree) return port
    tcp.close()
    await once(tcp, 'close')
  }
  throw new Error('no port is free for both')
}

/** Over UDP, and over TCP for what is too long for that. */
async function openDns(t: Test) {
  let asked = 0
  const udp = createSocket('udp4')
  udp.on('message', (question, { port, address }) => {
    asked++
    const answer = answerOf(question)
    if (answer === undefined) return
    const isLong = answer.length > 1_200
    const cut = answerTo(question, NO_ERROR, [])
    if (isLong) cut[2] = (cut[2] ?? 0) | 0x02
    setTimeout(() => udp.send(isLong ? cut : answer, port, address), isLate(question) ? LATE_MS : 0)
  })
  const open = new Set<Socket>()
  const tcp = createServer(socket => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      const answer = answerOf(bytes.subarray(2)) ?? Buffer.alloc(0)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answer.length)
      socket.write(Buffer.concat([length, answer]))
    })
  })
  const port = await listenOnBoth(tcp, udp)
  t.teardown(() => {
    udp.close()
    for (const socket of open) socket.destroy()
    tcp.close()
  })
  return { server: `127.0.0.1:${port}`, asked: () => asked }
}

t.test('each failure of the DNS is told as what it is', async t => {
  const origin = await openOrigin(t)
  const dns = await openDns(t)
  const product = await startProduct(t, {
    config: {
      proxy: { port: 0, connectPorts: ['1024-65535'] },
      dial: { servers: [dns.server], allow: ['127.0.0.0/8'] },
      limits: { dialTimeoutMs: DIAL_MS, drainTimeoutMs: 500 },
    },
  })
  const workers = product.children()
  const format = ['-w', '\n%{http_connect} %{http_code}']
  const ask = (label: string, ...args: string[]) =>
    runProgram('curl', [
      '-sS',
      '-m',
      '10',
      '-x',
      product.proxyUrl,
      ...format,
      '-H',
      'Accept: text/html',
      ...args,
      `http://${label}.ecole.test:${origin.port}/`,
    ])
  const expected: Record<string, string> = {
    ordinary: '200',
    late: '200',
    many: '200',
    broken: '502',
    missing: '502',
    loop: '502',
    garbage: '502',
    mute: '504',
  }
  // All at once: whoever waits for a mute DNS keeps nobody else waiting.
  await Promise.all(
    Object.entries(expected).flatMap(([label, status]) => [
      ask(label).then(({ stdout }) => {
        t.match(stdout, new RegExp(`\n000 ${status}$`), label)
        if (status !== '200') t.match(stdout, /<html[\s\S]*ecole\.test/, `${label}: a page`)
      }),
      ask(label, '-p').then(({ stdout }) =>
        t.match(
          stdout,
          new RegExp(status === '200' ? '\n200 200$' : `\n${status} 000$`),
          `${label}, in a tunnel`,
        ),
      ),
    ]),
  )
  const before = dns.asked()
  t.match((await ask('missing')).stdout, /\n000 502$/)
  t.equal(dns.asked(), before, 'that a name is missing is kept for a moment')
  t.strictSame(product.children(), workers)
  await eventually(() => origin.requests.length === 6)
  t.equal(origin.requests.length, 6)
})
