/** A web site on loopback as clients meet it: one listener, in clear and in TLS, under an authority of its own. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openAuthority } from '../../src/tls/authority.ts'
import { host } from './snapshot.ts'

export interface Sites {
  /** `http://<name>:<port>` and `https://<name>:<port>`. */
  readonly http: string
  readonly https: string
  readonly caFile: string
  readonly servers: readonly Server[]
}

export interface SitesOptions {
  /** Where the authority is kept. */
  readonly dir: string
  readonly name: string
  /** HTTP/2 beside HTTP/1.1 where there is TLS. */
  readonly http2?: boolean
}

export async function openSites(
  t: Test,
  { dir, name, http2 = false }: SitesOptions,
  listener: RequestListener,
): Promise<Sites> {
  const authority = await openAuthority(join(dir, 'site-ca'), {
    cityName: 'Sites',
    now: Date.now(),
  })
  const { certPem, keyPem } = await authority.issueLeaf(host(name), Date.now())
  const tls = { cert: certPem, key: keyPem }
  const clear = createServer(listener)
  // Node's HTTP/2 answers by the same interface, so one listener serves both.
  const secure = http2
    ? createSecureServer({ ...tls, allowHTTP1: true }, listener as never)
    : createTlsServer(tls, listener)
  const [http, https] = [await listen(t, clear), await listen(t, secure)]
  return {
    http: `http://${name}:${http}`,
    https: `https://${name}:${https}`,
    caFile: join(dir, 'site-ca/ca.pem'),
    servers: [clear, secure],
  }
}

async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
