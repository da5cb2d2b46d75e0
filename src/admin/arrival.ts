/**
 * How a request may come to the panel: under one of its own names (a foreign one is another site's, led here by its DNS), and
 * over TLS where it comes from another machine. Judged before any page: what is turned away has read nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { inRange, parseCidr } from '../policy/address.ts'
import {
  isAddress,
  parseAuthority,
  parseHost,
  parseSocketAddress,
  type Host,
} from '../policy/host.ts'
import { BARE_HEADERS } from './bare-headers.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface Arrivals {
  /** Whether a name is one that the panel answers to. */
  readonly isOwnName: (host: Host) => boolean
  /** Hands on what may come, and answers the rest: 421 to a foreign name, 308 to the same page over TLS, 403 where there is no TLS. */
  readonly admit: (handler: Handler) => Handler
}

const LOOPBACK = /^(?:127\.|::1$)/
/** Asked for by programs that know no certificate, and telling nothing of people. */
const FOR_MONITORING = /^\/(?:healthz|readyz|metrics)(?:\?|$)/

/** `hasTls`: the panel has a certificate of the city's CA. */
export function createArrivals({ admin }: Config, hasTls: boolean): Arrivals {
  const trusted = admin.trustedProxies.flatMap(text => parseCidr(text) ?? [])
  const names = new Set(
    [...admin.names, admin.host, hostname(), 'localhost'].map(name => parseHost(name)),
  )
  const isOwnName = (host: Host): boolean => isAddress(host) || names.has(host)
  const isForeign = ({ headers, httpVersion }: IncomingMessage, isProxied: boolean): boolean => {
    // Where the city has named none, its reverse proxy knows which it serves.
    if (isProxied && admin.names.length === 0) return false
    if (headers.host === undefined) return httpVersion !== '1.0'
    const host = parseAuthority(headers.host)?.host ?? parseHost(headers.host)
    return host === undefined || !isOwnName(host)
  }
  const admit =
    (handler: Handler): Handler =>
    (request, response) => {
      const { socket, url = '' } = request
      const peer = parseSocketAddress(socket.remoteAddress)
      const isProxied = peer !== undefined && trusted.some(range => inRange(peer, range))
      const isOpenly = !('encrypted' in socket) && !isProxied && !LOOPBACK.test(peer ?? '')
      if (FOR_MONITORING.test(url)) handler(request, response)
      else if (isForeign(request, isProxied))
        turnAway(request, response, new PreauError('PREAU_MISDIRECTED', { host: shown(request) }))
      else if (!isOpenly) handler(request, response)
      else if (hasTls && (request.method === 'GET' || request.method === 'HEAD'))
        turnAway(request, response, `https://${request.headers.host ?? ''}${url}`)
      else turnAway(request, response, new PreauError('PREAU_TLS_NEEDED'))
    }
  return { isOwnName, admit }
}

/** What a program has written there is shown to a person. */
const shown = ({ headers }: IncomingMessage): string =>
  (headers.host ?? '').replaceAll(/[^\w.:[\]-]/g, '?').slice(0, 255)

function turnAway(
  request: IncomingMessage,
  response: ServerResponse,
  how: PreauError | string,
): void {
  request.resume()
  const body = typeof how === 'string' ? '' : `${how.text('fr')}\n${how.text('en')}\n`
  const status = typeof how === 'string' ? 308 : how.status
  response.writeHead(status, {
    ...BARE_HEADERS,
    ...(typeof how === 'string' ? { location: how } : {}),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
