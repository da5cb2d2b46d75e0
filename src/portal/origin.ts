/** The refused origin: its spelling, whether a request comes from it, and the address that the person was looking at. */
import type { IncomingHttpHeaders } from 'node:http'
import { hostField, parseHost } from '../policy/host.ts'
import type { Refusal } from '../policy/refusal.ts'

const MAX_KEPT_URL = 2_048
const MAX_URL = 8_192
export const OUR_PATHS = '/.preau/'

/** `scheme://host[:port]` of the refused exchange. */
function originOf({ scheme, target }: Refusal): string {
  return `${scheme}://${hostField(target, defaultPort(scheme))}`
}

/** The host as people read it: with its port where that is not the usual one. */
export function displayHost({ scheme, target }: Refusal): string {
  return hostField(target, defaultPort(scheme))
}

const defaultPort = (scheme: Refusal['scheme']): number => (scheme === 'https' ? 443 : 80)

/** Parses a URL of the refused origin; undefined for any other. `example.com.` and `example.com` are one host. */
function parseSameOrigin(text: string | undefined, { scheme, target }: Refusal): URL | undefined {
  if (text === undefined || text.length > MAX_URL) return undefined
  const url = URL.parse(text)
  if (url === null || url.protocol !== `${scheme}:`) return undefined
  const port = url.port === '' ? defaultPort(scheme) : Number(url.port)
  return port === target.port && parseHost(url.hostname) === target.host ? url : undefined
}

/**
 * Whether a form comes from our page on the refused origin. Browsers always send `Origin` with a POST across origins and
 * `Sec-Fetch-Site` where the origin is trustworthy; programs that send neither have no ambient rights to steal.
 */
export function isFromRefusedOrigin(headers: IncomingHttpHeaders, refusal: Refusal): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return headers.origin === undefined || parseSameOrigin(headers.origin, refusal) !== undefined
}

/** Where to send the person back: the page the form was on, query included; `/` when that is not known. */
export function returnUrl(referer: string | undefined, refusal: Refusal): string {
  const url = parseSameOrigin(referer, refusal)
  const path =
    url === undefined || url.pathname.startsWith(OUR_PATHS) ? '/' : url.pathname + url.search
  return originOf(refusal) + path
}

/** What is kept of the address: never the query, the fragment or the user information, which may hold secrets. */
export function keptUrl(referer: string | undefined, refusal: Refusal): string {
  const url = parseSameOrigin(referer, refusal)
  const path = url === undefined || url.pathname.startsWith(OUR_PATHS) ? '/' : url.pathname
  return (originOf(refusal) + path).slice(0, MAX_KEPT_URL)
}
