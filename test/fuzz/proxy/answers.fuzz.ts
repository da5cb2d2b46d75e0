/** Answers of origins, damaged: the client gets one well-formed answer for its request, and never a piece of another one. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { mendHead } from '../../../src/proxy/answer-head.ts'
import { mutate } from '../engine/mutate.ts'
import { createRandom, seedOf } from '../engine/random.ts'
import { promise, type FuzzTarget, type Scope } from '../engine/target.ts'
import { ANSWERS } from './answer-seeds.ts'
import { inLanes, probe } from './client.ts'
import { framingOf, readBody, readHead, type Message } from './strict-http.ts'
import { openWorker } from './worker.ts'
import { openRecorder } from './recorder.ts'

const METHODS = ['GET', 'HEAD', 'POST']
const SILENCE_MS = 300

/** One answer to a request of this method, as a strict client reads it; undefined: it is not whole. Throws what is wrong. */
function readAnswer(bytes: Buffer, method: string, isClosed: boolean): Message | undefined {
  let from = 0
  for (;;) {
    const rest = bytes.subarray(from)
    const head = readHead(rest)
    if (head === undefined) return undefined
    const status = Number(/^HTTP\/1\.[01] (\d{3}) [\t -~\x80-\xff]*$/.exec(head.start)?.[1])
    promise(status >= 100, `status line ${JSON.stringify(head.start)}`)
    if (status < 200) {
      promise(status !== 101, 'a switch that nobody asked for')
      from += head.length
      continue
    }
    const isBodyless = method === 'HEAD' || status === 204 || status === 304
    const framing = framingOf(head, 'until-close')
    const message = readBody(rest, head, isBodyless ? 'none' : framing, isClosed)
    return message && { ...message, length: from + message.length }
  }
}

/** Answers as the path says: `/bad/N` with the bytes of input N, `/good/X` with X, whatever came before on the connection. */
async function openHostile(scope: Scope, answerOf: (id: number) => Buffer): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      const [, kind, id = ''] = /^\w+ \/(bad|good)\/(\w+) /.exec(chunk.toString('latin1')) ?? []
      if (kind === 'good')
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${id.length}\r\nX-Good: ${id}\r\n\r\n${id}`,
        )
      else if (kind === 'bad') {
        const bytes = answerOf(Number(id))
        // Some stay open: their connection is used again.
        if (seedOf(bytes) % 3 === 0) socket.write(bytes)
        else socket.end(bytes)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

interface Said {
  readonly bytes: Buffer
  readonly isClosed: boolean
}

/** Reads until the answer is whole, the proxy closes, or nothing comes any more. */
function hear(socket: Socket, method: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const settle = (isClosed: boolean): void => {
      clearTimeout(timer)
      socket.removeAllListeners('data').removeAllListeners('close')
      resolve({ bytes, isClosed })
    }
    let timer = setTimeout(settle, SILENCE_MS, false)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      timer.refresh()
      try {
        if (readAnswer(bytes, method, false) !== undefined) settle(false)
      } catch (error) {
        clearTimeout(timer)
        reject(error)
      }
    })
    socket.once('close', () => settle(true))
    if (socket.destroyed) settle(true)
  })
}

function inOrder(bytes: Buffer): Buffer {
  const heads: string[] = []
  let rest = bytes
  let isFinal = false
  while (!isFinal) {
    const head = mendHead(rest)
    if (typeof head !== 'object') break
    heads.push(head.text)
    rest = rest.subarray(head.length)
    isFinal = head.isFinal
  }
  return Buffer.concat([Buffer.from(heads.join(''), 'latin1'), rest])
}

/** The strict reading of what the origin said, its heads in order: what a client may hear of it. */
function readSafely(bytes: Buffer, method: string): Message | undefined | 'invalid' {
  try {
    return readAnswer(inOrder(bytes), method, true)
  } catch {
    return 'invalid'
  }
}

const ours = (message: Message): boolean => /^HTTP\/1\.1 50[234] /.test(message.start)

async function converse(
  port: number,
  originPort: number,
  id: number,
  input: Buffer,
): Promise<void> {
  const method = createRandom(seedOf(input)).pick(METHODS)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => socket.destroy())
  const ask = (how: string, path: string): void => {
    const length = how === 'POST' ? 'Content-Length: 0\r\n' : ''
    socket.write(
      `${how} http://free.test:${originPort}${path} HTTP/1.1\r\nHost: x\r\n${length}\r\n`,
    )
  }
  try {
    ask(method, `/bad/${id}`)
    const first = await hear(socket, method)
    const got = readAnswer(first.bytes, method, first.isClosed)
    if (got !== undefined) {
      promise(got.length === first.bytes.length, 'bytes after an answer')
      const meant = readSafely(input, method)
      if (!ours(got)) {
        promise(meant !== undefined, 'half an answer came as a whole one')
        if (meant !== 'invalid')
          promise(meant.body.equals(got.body), `another body: ${JSON.stringify(String(got.body))}`)
      }
    }
    if (first.isClosed || got === undefined) return
    ask('GET', `/good/t${id}`)
    const second = await hear(socket, 'GET')
    const next = readAnswer(second.bytes, 'GET', second.isClosed)
    if (next === undefined || ours(next)) return
    promise(String(next.body) === `t${id}`, `the answer to another request: ${String(next.body)}`)
  } finally {
    socket.destroy()
  }
}

export const answers: FuzzTarget = {
  name: 'answers',
  bounded: 500,
  async open(scope) {
    const inputs = new Map<number, Buffer>()
    const hostile = await openHostile(scope, id => inputs.get(id) ?? Buffer.alloc(0))
    const recorder = await openRecorder(scope)
    const httpPorts = [hostile, recorder.port]
    const worker = await openWorker(scope, { httpPorts, connectPorts: [443] })
    let sequence = 0
    return {
      batch: 250,
      make: random => mutate(random, ANSWERS),
      async attempt(batch) {
        inputs.clear()
        await inLanes(batch, async input => {
          const id = sequence++
          inputs.set(id, input)
          await converse(worker.port, hostile, id, input)
        })
        worker.assertAlive()
        await probe(worker.port, recorder.port)
        recorder.take()
        worker.takeLog()
      },
      measure: () => worker.measure(),
    }
  },
}
