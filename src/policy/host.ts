/**
 * The one parser of host names and authorities. A host is normalised here once, at the edge, and its type says so;
 * what is ambiguous is refused, so that the name that is judged is the name that is reached.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

declare const brand: unique symbol
/** A lower-case DNS name in A-labels without trailing dot, a dotted IPv4 address, or an IPv6 address without brackets. */
export type Host = string & { readonly [brand]: 'Host' }

/** What a client asks to reach. */
export interface Target {
  readonly host: Host
  readonly port: number
  /** Path and query as they stand in the request; absent where they are hidden (CONNECT). */
  readonly path?: string
}

const MAX_NAME = 253
// RFC 952 knows no underscore, and no hyphen at either end of a label. The DNS does (RFC 2181 §11), lists name such hosts
// and browsers reach them: a host that cannot be named here could not be closed either.
const LABEL = '[a-z0-9_-]{1,63}'
// WHATWG URL parsers read a last label like these as an IPv4 number, so `127.1` or `0x7f.1` would reach 127.0.0.1.
const NUMERIC_LABEL = String.raw`(?:\d+|0x[0-9a-f]*)$`
const NAME = new RegExp(String.raw`^(?:${LABEL}\.)*(?!${NUMERIC_LABEL})${LABEL}$`)

/**
 * Parses a host as it stands in a request: ASCII only, one trailing dot accepted, IPv6 in brackets or bare.
 * Returns undefined for anything ambiguous: odd IPv4 forms, zone ids, percent signs, empty labels.
 */
export function parseHost(text: string): Host | undefined {
  if (text.startsWith('[')) return text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : undefined
  if (text.includes(':')) return parseIpv6(text)
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  if (name.length === 0 || name.length > MAX_NAME) return undefined
  return NAME.test(name) || isIPv4(name) ? (name as Host) : undefined
}

/** Parses a host typed by a person or found in a list: as `parseHost`, and Unicode names become A-labels (UTS 46). */
export function parseHumanHost(text: string): Host | undefined {
  // oxlint-disable-next-line no-control-regex -- telling ASCII from the rest is the point
  if (/^[\x00-\x7f]*$/.test(text)) return parseHost(text)
  if (/[%/?#@:\\\s]/.test(text)) return undefined
  return parseHost(domainToASCII(text))
}

function parseIpv6(text: string): Host | undefined {
  if (text.includes('%') || !isIPv6(text)) return undefined
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  return (mappedIpv4(canonical) ?? canonical) as Host
}

/** `::ffff:7f00:1` is the IPv4 address 127.0.0.1 (RFC 4291 §2.5.5.2): one address, one spelling. */
function mappedIpv4(canonical: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (!match?.[1] || !match[2]) return undefined
  const high = Number.parseInt(match[1], 16)
  const low = Number.parseInt(match[2], 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/**
 * The address of a socket as a `Host`: Node writes IPv4 clients of a dual-stack listener as `::ffff:a.b.c.d`, and link-local
 * ones with their interface, which is no part of the address.
 */
export function parseSocketAddress(text: string | undefined): Host | undefined {
  if (text === undefined) return undefined
  return isIPv4(text) ? (text as Host) : parseHost(text.replace(/%.*$/, ''))
}

/** A port of RFC 3986 without its leniency: 1 to 65535, no sign, no leading zero. */
function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined
  const port = Number(text)
  return port <= 65_535 ? port : undefined
}

/** Parses the target of CONNECT (RFC 9110 §9.3.6: host and port, both present). */
export function parseAuthority(text: string): Target | undefined {
  const colon = text.lastIndexOf(':')
  const name = text.slice(0, Math.max(colon, 0))
  // An IPv6 address stands in brackets here.
  const host = name.includes(':') && !name.startsWith('[') ? undefined : parseHost(name)
  const port = parsePort(text.slice(colon + 1))
  return host !== undefined && port !== undefined ? { host, port } : undefined
}

/** Where an absolute-form request goes (RFC 9112 §3.2.2): the target, and the path and query to send, byte for byte. */
export interface AbsoluteForm {
  readonly target: Target
  readonly path: string
}

/**
 * Parses `http://host[:port][/path][?query]`. User information, other schemes and odd spellings are refused. A fragment, which
 * some clients send (Python's urllib), is for nobody but them (RFC 9110 §4.2.5): it is cut off.
 */
export function parseAbsoluteForm(url: string): AbsoluteForm | undefined {
  const match = /^http:\/\/(\[[^\]]*\]|[^:/?#@\\[\]]+)(?::(\d*))?(\/[^#]*|\?[^#]*)?(?:#.*)?$/i.exec(
    url,
  )
  const host = match?.[1] === undefined ? undefined : parseHost(match[1])
  const port = match?.[2] === undefined || match[2] === '' ? 80 : parsePort(match[2])
  if (host === undefined || port === undefined) return undefined
  const rest = match?.[3] ?? ''
  return { target: { host, port }, path: rest.startsWith('/') ? rest : `/${rest}` }
}

/** What a person types or copies from a browser: a host, with a port or not, or the address of a page. */
export function parseTyped(text: string): Target | undefined {
  const [, scheme, authority, rest] =
    /^(?:(https?):\/\/)?([^/?#]*)([/?][^#]*)?/i.exec(text.trim()) ?? []
  if (authority === undefined) return undefined
  const [, name = authority, portText] = /^(\[.*\]|[^:]*):(\d+)$/.exec(authority) ?? []
  const host = parseHumanHost(name)
  const isPlain = scheme?.toLowerCase() === 'http'
  const port = portText === undefined ? (isPlain ? 80 : 443) : parsePort(portText)
  if (host === undefined || port === undefined) return undefined
  // The filter sees the path of plain HTTP only.
  if (!isPlain) return { host, port }
  return { host, port, path: rest === undefined ? '/' : rest.startsWith('/') ? rest : `/${rest}` }
}

/** True for IPv4 and IPv6 literals. */
export function isAddress(host: Host): boolean {
  return host.includes(':') || isIPv4(host)
}

// Names that the public DNS never answers for: RFC 6761, 6762 and 7686, ICANN (`.internal`), or that it will not delegate.
const INNER_ENDS = new Set(
  'localhost local localdomain internal intranet lan home corp private onion alt invalid'.split(
    ' ',
  ),
)

/** Whether a name can only lead inside: one label alone, or an end kept for private use. */
export function isInnerName(host: Host): boolean {
  const dot = host.lastIndexOf('.')
  return dot === -1 ? !isAddress(host) : INNER_ENDS.has(host.slice(dot + 1))
}

/** The `Host` field value for a target: IPv6 in brackets, the default port left out (RFC 9110 §7.2). */
export function hostField(target: Target, defaultPort = 80): string {
  const name = target.host.includes(':') ? `[${target.host}]` : target.host
  return target.port === defaultPort ? name : `${name}:${target.port}`
}

/** The host itself, then each parent domain on label boundaries. An address has no parents. */
export function* suffixes(host: Host): Generator<Host> {
  yield host
  if (isAddress(host)) return
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    yield host.slice(dot + 1) as Host
  }
}
