/**
 * TLS of the panel's own, on the port that also speaks plain HTTP: the first byte of a connection says which. Its certificates
 * are leaves of the city's CA, which the PCs of the city trust.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import { parseHost, parseSocketAddress, type Host } from '../policy/host.ts'

/** The certificate for a name or an address of this panel. */
export type ContextFor = (host: Host) => Promise<SecureContext>

const TLS_HANDSHAKE = 0x16
/** From the first byte to the end of the handshake. */
const HANDSHAKE_MS = 10_000
const LOOPBACK = '127.0.0.1' as Host

/** `isOwnName`: for no other name is a certificate made. */
export function speakTls(
  server: Server,
  contextFor: ContextFor,
  isOwnName: (host: Host) => boolean,
): void {
  // Node's own is the first: what it would begin at once waits for the first byte.
  const [serve] = server.listeners('connection') as ((socket: Socket) => void)[]
  if (serve === undefined) throw new TypeError('a server of node:http listens to its connections')
  server.off('connection', serve)
  const handOn = (socket: Socket): void => serve.call(server, socket)
  server.on('connection', (socket: Socket) => {
    const deadline = setTimeout(() => socket.destroy(), HANDSHAKE_MS)
    const settle = (): void => clearTimeout(deadline)
    socket.once('close', settle).on('error', () => socket.destroy())
    socket.once('end', () => socket.destroy())
    socket.once('readable', () => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      socket.removeAllListeners('end')
      socket.unshift(chunk)
      if (chunk[0] !== TLS_HANDSHAKE) {
        settle()
        handOn(socket)
        return
      }
      endTls(socket, { contextFor, isOwnName }).then(
        secure => {
          // A client that leaves in the middle of its handshake only ends the stream.
          const leave = (): unknown => secure.destroy()
          socket.once('end', leave)
          secure.once('secure', () => {
            socket.off('end', leave)
            settle()
            handOn(secure)
          })
        },
        () => socket.destroy(),
      )
    })
  })
}

async function endTls(
  socket: Socket,
  { contextFor, isOwnName }: { contextFor: ContextFor; isOwnName: (host: Host) => boolean },
): Promise<TLSSocket> {
  // A client that names no host, or one that is not ours, gets the certificate of the address that it has reached.
  const local = parseSocketAddress(socket.localAddress) ?? LOOPBACK
  const secureContext = await contextFor(local)
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    SNICallback(name, done) {
      const host = parseHost(name)
      if (host === undefined || !isOwnName(host)) done(null, secureContext)
      else void answer(contextFor(host), done)
    },
  })
  secure.on('error', () => secure.destroy())
  secure.once('close', () => socket.destroy())
  return secure
}

type Done = (error: Error | null, context?: SecureContext) => void

async function answer(made: Promise<SecureContext>, done: Done): Promise<void> {
  const context = await made.catch((error: unknown) => error as Error)
  if (context instanceof Error) done(context)
  else done(null, context)
}
