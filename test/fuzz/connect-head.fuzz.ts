/** Heads of CONNECTs: what is taken without an HTTP parser, Node's strict parser takes too, with the same target and end. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import { parseAuthority } from '../../src/policy/host.ts'
import { readConnectHead } from '../../src/proxy/connect-head.ts'
import { measureSelf } from './engine/measure.ts'
import { latin1, mutate } from './engine/mutate.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const BOUNDS = { maxBytes: 32_768, maxFields: 100 }
const TIME_MS = 5_000

/** One connection in memory: says `bytes`, hears nothing. */
function connectionOf(bytes: Buffer): Duplex {
  const duplex = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  duplex.on('error', () => undefined)
  duplex.push(bytes)
  return duplex
}

interface Reading {
  readonly url: string | undefined
  readonly rest: Buffer
}

/** How llhttp reads it; undefined: it refuses. */
function asNode(server: Server, bytes: Buffer): Promise<Reading | undefined> {
  const connection = connectionOf(bytes)
  return new Promise<Reading | undefined>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('llhttp still waits')), TIME_MS)
    const settle = (reading?: Reading): void => {
      clearTimeout(timer)
      server
        .removeAllListeners('connect')
        .removeAllListeners('clientError')
        .removeAllListeners('request')
      connection.destroy()
      resolve(reading)
    }
    server.once('connect', ({ url }: IncomingMessage, _socket, rest: Buffer) =>
      settle({ url, rest }),
    )
    server.once('clientError', () => settle())
    server.once('request', () => settle())
    server.emit('connection', connection)
  })
}

async function check(server: Server, bytes: Buffer): Promise<boolean> {
  const found = readConnectHead(bytes, BOUNDS)
  if (found === undefined) return false
  // No target at all is a 400 of ours, where llhttp has its own.
  if (parseAuthority(found.authority) === undefined) return false
  const reading = await asNode(server, bytes)
  promise(reading !== undefined, 'llhttp refuses what we take')
  promise(reading.url === found.authority, `llhttp reads the target ${reading.url}`)
  promise(reading.rest.equals(bytes.subarray(found.length)), 'the head ends elsewhere for llhttp')
  return true
}

const mutation = {
  seeds: latin1([
    'CONNECT free.test:443 HTTP/1.1\r\nHost: free.test:443\r\n\r\n',
    'CONNECT free.test:443 HTTP/1.1\r\nHost: free.test\r\nUser-Agent: curl/8\r\nProxy-Connection: Keep-Alive\r\n\r\n\x16\x03\x01',
    'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhost:x\r\nX-\x41: \xe9\t\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX:\r\n\r\nGET http://games.test/ HTTP/1.1\r\n\r\n',
  ]),
  words: [
    'CONNECT ',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    'Host: a\r\n',
    'X: y\r\n',
    '\r\n\r\n',
    '\r\n',
    '\n',
    '\r',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Upgrade: h2c\r\n',
    'Connection: upgrade\r\n',
    ':',
    ' ',
    '	',
    '\0',
    '',
    '',
    'ÿ',
    '(',
    '"',
    ',',
    ' : ',
    'Host',
    'Expect: 100-continue\r\n',
  ],
  maxBytes: 40_000,
}

export const connectHead: FuzzTarget = {
  name: 'connect-head',
  bounded: 4_000,
  open: async () => {
    const server = createServer({ maxHeaderSize: 65_536 })
    return {
      batch: 200,
      make: random => mutate(random, mutation),
      attempt: async inputs => {
        for (const input of inputs) await check(server, input)
      },
      measure: measureSelf,
    }
  },
}
