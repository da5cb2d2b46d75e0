/** The origin behind the proxy: every byte that arrives must be part of one well-formed request for an allowed name. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { promise, type Scope } from '../engine/target.ts'
import { framingOf, readBody, readHead, valuesOf, type Head } from './strict-http.ts'
import { ALLOWED, ALLOWED_AT, REFUSED_AT } from './worker.ts'

export interface Recorder {
  readonly port: number
  /** What broke a promise since the last call, and the requests that came: `METHOD host:port`. */
  take(): { violations: string[]; requests: string[] }
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[!"$-~\x80-\xff]*|\*) HTTP\/1\.1$/
const OWN_FIELDS = ['proxy-connection', 'proxy-authorization', 'keep-alive', 'te', 'trailer']

export async function openRecorder(scope: Scope): Promise<Recorder> {
  let violations: string[] = []
  let requests: string[] = []
  const sockets = new Set<Socket>()
  const serve = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer(socket => {
    serve(socket)
    readAll(socket, {
      port,
      onRequest: key => requests.push(key),
      onViolation: text => violations.push(text),
    })
  }).listen(0, ALLOWED_AT)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const trap = await openTrap(port, socket => {
    serve(socket)
    violations.push('a connection to a refused site')
  })
  scope.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    trap.close()
  })
  return {
    port,
    take() {
      const taken = { violations, requests }
      violations = []
      requests = []
      return taken
    },
  }
}

/** Where refused names lead. */
export async function openTrap(port: number, onConnection: (socket: Socket) => void) {
  const trap = createServer(onConnection).listen(port, REFUSED_AT)
  await once(trap, 'listening')
  return trap
}

interface Reading {
  readonly port: number
  readonly onRequest: (key: string) => void
  readonly onViolation: (text: string) => void
}

function readAll(socket: Socket, { port, onRequest, onViolation }: Reading): void {
  let held: Buffer = Buffer.alloc(0)
  let head: Head
  let isOpaque = false
  const read = (): void => {
    for (;;) {
      if (head === undefined) {
        head = readHead(held)
        if (head === undefined) return
        onRequest(checkHead(head, port))
      }
      const message = readBody(held, head, framingOf(head, 'none'))
      if (message === undefined) return
      held = held.subarray(message.length)
      isOpaque = answer(socket, head)
      head = undefined
      if (isOpaque) return
    }
  }
  socket.once('close', () => {
    const isHead = head !== undefined || /^[^\s\0]+ [/*]/.test(held.toString('latin1', 0, 200))
    if (!isOpaque && held.length > 0 && !isHead)
      onViolation(`after a request: ${JSON.stringify(held.toString('latin1').slice(0, 600))}`)
  })
  socket.on('data', (chunk: Buffer) => {
    if (isOpaque) return
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    try {
      read()
    } catch (error) {
      onViolation(`${String(error)} in ${JSON.stringify(held.toString('latin1').slice(0, 600))}`)
      isOpaque = true
      socket.destroy()
    }
  })
}

/** Answers `METHOD host:port`; throws what is wrong. */
function checkHead(head: NonNullable<Head>, port: number): string {
  const [, method = '', target = ''] = REQUEST_LINE.exec(head.start) ?? []
  promise(method !== '', `request line ${JSON.stringify(head.start)}`)
  promise(target !== '*' || method === 'OPTIONS', 'target *')
  const hosts = valuesOf(head, 'host')
  const [host = ''] = hosts
  const isAllowed = ALLOWED.some(name => host === `${name}:${port}`)
  promise(hosts.length === 1 && isAllowed, `Host ${JSON.stringify(hosts)}`)
  promise(valuesOf(head, 'via').length > 0, 'no Via')
  const connection = valuesOf(head, 'connection').join()
  promise(/^(?:close|keep-alive|Upgrade)?$/.test(connection), `Connection ${connection}`)
  const isSwitch = connection === 'Upgrade'
  promise(isSwitch === valuesOf(head, 'upgrade').length > 0, 'Upgrade without Connection')
  for (const name of OWN_FIELDS) promise(valuesOf(head, name).length === 0, `field ${name}`)
  const expect = valuesOf(head, 'expect').join()
  promise(/^(?:100-continue)?$/i.test(expect), `Expect ${expect}`)
  framingOf(head, 'none')
  return `${method} ${host}`
}

/** Answers whether the connection is no longer HTTP. */
function answer(socket: Socket, head: NonNullable<Head>): boolean {
  if (valuesOf(head, 'upgrade').length > 0 && head.start.includes('switch')) {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    return true
  }
  const body = head.start.startsWith('HEAD ') ? '' : 'ok'
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${body}`)
  return false
}
