/** An origin that reads TLS with OpenSSL: the names that it finds in what passed the gate were never refused ones. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import { promise, type Scope } from '../engine/target.ts'
import { everyNameIn } from './every-name.ts'
import { openTrap } from './recorder.ts'
import { ALLOWED_AT, REFUSED } from './worker.ts'

export interface TlsReader {
  readonly port: number
  /** Names that OpenSSL has read since the last call. */
  take(): string[]
  assertNoneRefused(): void
}

const MAX_HEARD = 70_000
const SILENCE_MS = 2_000

export const isRefused = (name: string): boolean => {
  const host = name.toLowerCase().replace(/\.+$/, '')
  return REFUSED.some(refused => host === refused || host.endsWith(`.${refused}`))
}

export async function openTlsReader(scope: Scope): Promise<TlsReader> {
  const wrongs: string[] = []
  let names: string[] = []
  const tls = createTlsServer({
    // As lenient as it can be, so that it reads as many hellos as possible.
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
    handshakeTimeout: SILENCE_MS,
    SNICallback: (name, done) => {
      names.push(name)
      if (isRefused(name)) wrongs.push(`OpenSSL read ${JSON.stringify(name)}`)
      done(null, createSecureContext())
    },
  })
  tls.on('tlsClientError', (_error, socket) => socket.destroy())
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    const heard: Buffer[] = []
    socket.on('data', (chunk: Buffer) => {
      if (heard.reduce((sum, { length }) => sum + length, 0) < MAX_HEARD)
        heard.push(Buffer.from(chunk))
    })
    socket.once('close', () => {
      sockets.delete(socket)
      const found = everyNameIn(Buffer.concat(heard)).find(isRefused)
      if (found !== undefined)
        wrongs.push(`${found} in ${Buffer.concat(heard).toString('hex').slice(0, 1_000)}`)
    })
    // TLS would take the bytes straight from the socket, and nobody else would see them.
    const [near, far] = duplexPair()
    far.on('error', () => socket.destroy())
    near.on('error', () => socket.destroy())
    socket.pipe(far).pipe(socket)
    tls.emit('connection', near)
  }).listen(0, ALLOWED_AT)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const trap = await openTrap(port, socket => {
    wrongs.push('a connection to a refused site')
    socket.destroy()
  })
  scope.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    trap.close()
  })
  return {
    port,
    take() {
      const taken = names
      names = []
      return taken
    },
    assertNoneRefused() {
      const [wrong] = wrongs.splice(0)
      promise(wrong === undefined, `in a tunnel: ${wrong}`)
    },
  }
}
