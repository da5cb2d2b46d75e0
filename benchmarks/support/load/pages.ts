/** The block page of a refused CONNECT, inside TLS: the certificate is verified against the city's, the page read whole. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as secure, createSecureContext, type SecureContext } from 'node:tls'
import { repeat, TIMEOUT_MS, type Figures } from './figures.ts'

export interface PagesOrder {
  readonly port: number
  readonly count: number
  readonly atOnce: number
  /** Hosts begin with this; the number of the page makes each its own, unless `isSame`. */
  readonly prefix: string
  readonly domain: string
  readonly isSame: boolean
  readonly caPem: string
}

async function page(port: number, host: string, secureContext: SecureContext) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no page in time')))
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!head.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(head.toString('latin1'))
  // Verified: a certificate of another name or authority rejects here.
  const tls = secure({ socket, servername: host, secureContext, ALPNProtocols: ['http/1.1'] })
  let text = ''
  tls.on('data', (chunk: Buffer) => (text += chunk.toString()))
  tls.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`)
  await once(tls, 'end')
  tls.destroy()
  const end = text.indexOf('\r\n\r\n')
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1])
  const body = text.slice(end + 4)
  const isRight = text.startsWith('HTTP/1.1 403 ') && body.includes(host)
  if (!isRight || Buffer.byteLength(body) !== length)
    throw new Error(`not the block page of ${host}: ${text.slice(0, 300)}`)
}

export function pages(order: PagesOrder): Promise<Figures> {
  const { port, count, atOnce, prefix, domain, isSame, caPem } = order
  const context = createSecureContext({ ca: caPem })
  return repeat(count, atOnce, number =>
    page(port, `${prefix}${isSame ? 0 : number}.${domain}`, context),
  )
}
