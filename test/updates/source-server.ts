/** Servers on loopback that a source may turn out to be, and a parent proxy that remembers what passes. */
import { once } from 'node:events'
import { createServer, request as forward, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { setDefaultCACertificates, getCACertificates } from 'node:tls'
import type { Test } from 'tap'
import { configSchema } from '../../src/config.ts'
import { openAuthority } from '../../src/tls/authority.ts'
import { host } from '../support/snapshot.ts'

/** `mirror.test` and `other.test` lead to loopback because the configuration says so. */
export const DIAL = configSchema.parse({
  dial: { hosts: { 'mirror.test': '127.0.0.1', 'other.test': '127.0.0.1' } },
}).dial

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Answers the address of the server, without a slash at its end. */
export const serveHttp = async (t: Test, answer: RequestListener): Promise<string> =>
  `http://mirror.test:${await listen(t, createServer(answer))}`

/** The same with TLS, and with a certificate that this process trusts. */
export async function serveHttps(t: Test, answer: RequestListener): Promise<string> {
  const authority = await openAuthority(t.testdir(), { cityName: 'Testville', now: Date.now() })
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority.caPem])
  t.teardown(() => setDefaultCACertificates(before))
  const { certPem, keyPem } = await authority.issueLeaf(host('mirror.test'), Date.now())
  const port = await listen(t, createTlsServer({ cert: certPem, key: keyPem }, answer))
  return `https://mirror.test:${port}`
}

export interface ParentProxy {
  readonly url: string
  /** `CONNECT host:port` and `GET http://...`, in their order. */
  readonly passed: string[]
}

export async function serveProxy(t: Test): Promise<ParentProxy> {
  const passed: string[] = []
  const server = createServer((request, response) => {
    passed.push(`${request.method} ${request.url}`)
    const { port, pathname } = new URL(request.url ?? '')
    const onward = forward(
      { port, path: pathname, headers: request.headers, host: '127.0.0.1' },
      answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    onward.end()
  })
  server.on('connect', (request, client) => {
    passed.push(`CONNECT ${request.url}`)
    const port = Number(request.url?.split(':')[1])
    const origin = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      origin.pipe(client).pipe(origin)
    })
    origin.on('error', () => client.destroy())
    client.on('error', () => origin.destroy())
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}`, passed }
}
