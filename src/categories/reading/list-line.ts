/** What one line of a list of domains says: a host, nothing, or something that is refused. */
import { isAddress, parseHumanHost, type Host } from '../../policy/host.ts'

export type ListLine =
  | { readonly kind: 'host'; readonly host: Host }
  | { readonly kind: 'blank' }
  | { readonly kind: 'refused' }

const BLANK: ListLine = { kind: 'blank' }
const REFUSED: ListLine = { kind: 'refused' }

// The spellings of other list formats that mean exactly one host: hosts files, a URL without a path, a port.
const SINK = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+/
const SCHEME = /^https?:\/\/([^/?#@]+)\/?$/i
const PORT = /^([^:]+|\[[^\]]*\]):\d{1,5}$/

/**
 * Reads a line: a host with its sub-domains (`x`, `.x`, `*.x`), in any case, in Unicode or A-labels, with `#` comments.
 * A single label is refused, so that no line (`.`, `*`, `com`) can ever stand for the whole web.
 */
export function parseListLine(line: string): ListLine {
  const text = stripComment(line.startsWith('\uFEFF') ? line.slice(1) : line)
  if (text === '') return BLANK
  const name = text.startsWith('*.') ? text.slice(2) : text.startsWith('.') ? text.slice(1) : text
  const host = parseHumanHost(name) ?? parseForeign(text)
  if (host === undefined || (!host.includes('.') && !isAddress(host))) return REFUSED
  return { kind: 'host', host }
}

function stripComment(text: string): string {
  const hash = text.indexOf('#')
  return (hash === -1 ? text : text.slice(0, hash)).trim()
}

function parseForeign(text: string): Host | undefined {
  const bare = text.replace(SINK, '').replace(SCHEME, '$1').replace(PORT, '$1')
  return bare === text ? undefined : parseHumanHost(bare)
}
