/** What one line of a list of domains says: hosts, nothing, or something that is refused. */
import { isAddress, parseHumanHost, type Host } from '../../policy/host.ts'

export type ListLine =
  | { readonly kind: 'hosts'; readonly hosts: readonly Host[] }
  | { readonly kind: 'blank' }
  | { readonly kind: 'refused' }

const BLANK: ListLine = { kind: 'blank' }
const REFUSED: ListLine = { kind: 'refused' }

// The spellings of other list formats that mean exactly one host: a URL without a path, a port.
const SCHEME = /^https?:\/\/([^/?#@]+)\/?$/i
const PORT = /^([^:]+|\[[^\]]*\]):\d{1,5}$/
/** A hosts file: names that lead nowhere. */
const SINK = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+/
/** Names that stand at the head of every hosts file and mean the machine itself. */
const OWN_NAMES = /^(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-[a-z]+)$/
// AdGuard and Adblock Plus: `||domain^` is a host with its sub-domains. With options, or as an exception (`@@`), a line
// means less or more than a host, and is refused rather than misread.
const ADBLOCK = /^\|\|([^/^$|*]+)\^$/
// `site##.banner` hides a part of a site: read as a comment, it would close the whole of it.
const COSMETIC = /^[^\s#]+#(?:@?[$?%]*)?#/
const ADBLOCK_HEADER = /^\[.*\]$/

/**
 * Reads a line: a host with its sub-domains (`x`, `.x`, `*.x`, `||x^`) or a line of a hosts file, in any case, in Unicode
 * or A-labels, with comments. A single label is refused, so that no line (`.`, `*`, `com`) can stand for the whole web.
 */
export function parseListLine(line: string): ListLine {
  const whole = (line.startsWith('\uFEFF') ? line.slice(1) : line).trim()
  const text = stripComment(whole)
  if (COSMETIC.test(whole)) return REFUSED
  if (text === '' || text.startsWith('!')) return BLANK
  if (SINK.test(text)) return parseHostsLine(text)
  const domain = ADBLOCK.exec(text)?.[1]
  const name = domain ?? (text.startsWith('*.') ? text.slice(2) : text.replace(/^\./, ''))
  const host = parseListed(name) ?? parseForeign(text)
  if (host !== undefined) return { kind: 'hosts', hosts: [host] }
  return ADBLOCK_HEADER.test(text) ? BLANK : REFUSED
}

function stripComment(text: string): string {
  const hash = text.indexOf('#')
  return (hash === -1 ? text : text.slice(0, hash)).trim()
}

function parseHostsLine(text: string): ListLine {
  const names = text.split(/\s+/).slice(1)
  const listed = names.filter(name => !OWN_NAMES.test(name.toLowerCase()) && name !== '0.0.0.0')
  if (listed.length === 0) return BLANK
  const hosts = listed.map(parseListed)
  return hosts.every(host => host !== undefined) ? { kind: 'hosts', hosts } : REFUSED
}

function parseListed(name: string): Host | undefined {
  const host = parseHumanHost(name)
  return host !== undefined && (host.includes('.') || isAddress(host)) ? host : undefined
}

function parseForeign(text: string): Host | undefined {
  const bare = text.replace(SCHEME, '$1').replace(PORT, '$1')
  return bare === text ? undefined : parseListed(bare)
}
