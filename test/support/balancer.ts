/** A load balancer in front of the admin app: each request goes to the next of its backends, without stickiness. */
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Balancer {
  readonly url: string
  /** Which backend answered each request, in their order: its place in the list. */
  readonly served: number[]
}

/** `backends`: `http://host:port`. They see the `Host` of the browser, and its address in `X-Forwarded-For`. */
export async function startBalancer(t: Test, backends: readonly string[]): Promise<Balancer> {
  const served: number[] = []
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const place = turn++ % backends.length
    served.push(place)
    const { hostname, port } = new URL(backends[place] ?? '')
    const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress }
    const { method, url: path } = incoming
    const options = { hostname, port, method, path, headers, agent: false }
    const backend = httpRequest(options, (answer: IncomingMessage) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    backend.on('error', () => outgoing.destroy())
    outgoing.on('close', () => backend.destroy())
    incoming.pipe(backend)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, served }
}
