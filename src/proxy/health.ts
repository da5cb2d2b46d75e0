/**
 * The question of a load balancer in front of the proxies (HAProxy `option httpchk GET /healthz`): whether this worker
 * accepts and answers. It asks nothing else, neither the store nor the policy, and tells nothing else: it is no exchange.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** In origin form alone, which no client of a proxy sends: `http://any.site/healthz` is a site like any other. */
export const isHealthQuestion = ({ method, url, headers }: IncomingMessage): boolean =>
  url === '/healthz' &&
  (method === 'GET' || method === 'HEAD') &&
  // What has a body is no such question, and is judged like all that may be read in two ways.
  headers['transfer-encoding'] === undefined &&
  headers['content-length'] === undefined

export function answerHealth(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': 3,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : 'ok\n')
}
