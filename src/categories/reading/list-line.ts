/** What one line of a list of domains says: hosts, nothing, something that is left out on purpose, or nothing that is known. */
import type { Host } from '../../policy/host.ts'
import { isCosmetic, parseAdblock } from './adblock-line.ts'
import {
  BLANK,
  isAddressWord,
  isSink,
  LEFT,
  namesLine,
  parseListed,
  parseWidened,
  type ListLine,
} from './listed-name.ts'
import { parseForwarder, parseResolver } from './resolver-line.ts'
import { parseRule } from './rule-line.ts'

// The spellings of other list formats that mean exactly one host: a URL without a path, a port.
const SCHEME = /^https?:\/\/([^/?#@]+)\/?$/i
const PORT = /^([^:]+|\[[^\]]*\]):\d{1,5}$/
/** Names that stand at the head of every hosts file and mean the machine itself, or all machines beside it. */
const OWN_NAMES = /^(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-[a-z]+)$/
/** A name or address alone, as most lines are. */
const BARE = /^[\w.*+:-]+$/
// `;` and `//` begin a comment only at the beginning or behind a blank: both also stand inside of what is no comment.
const COMMENT = /#|(?:^|\s)(?:;|\/\/)/

/**
 * Reads a line: a host with its sub-domains (`x`, `.x`, `*.x`, `||x^`), a line of a hosts file, of dnsmasq, unbound, an RPZ
 * or BIND, a rule of a proxy client; in any case, in Unicode or A-labels, with comments. It is linear in the line.
 */
export function parseListLine(line: string): ListLine {
  const whole = (line.startsWith('\uFEFF') ? line.slice(1) : line).trim()
  const name = BARE.test(whole) ? parseWidened(whole) : undefined
  if (name !== undefined) return { kind: 'hosts', hosts: [name] }
  if (isCosmetic(whole)) return LEFT
  // `#` is a value of dnsmasq, and no comment there.
  const forwarder = parseForwarder(whole)
  if (forwarder !== undefined) return forwarder
  const text = stripComment(whole)
  if (text === '') return BLANK
  return (
    parseAdblock(text) ??
    parseHostsLine(text) ??
    parseResolver(text) ??
    parseRule(text) ??
    namesLine([parseWidened(text) ?? parseForeign(text)])
  )
}

function stripComment(text: string): string {
  const at = COMMENT.exec(text)?.index
  return at === undefined ? text : text.slice(0, at).trim()
}

/** `undefined`: no line of a hosts file. One that leads somewhere else than nowhere closes nothing. */
function parseHostsLine(text: string): ListLine | undefined {
  const [first = '', ...names] = text.split(/\s+/)
  if (names.length === 0 || !isAddressWord(first)) return undefined
  const listed = names.filter(name => !OWN_NAMES.test(name.toLowerCase()) && !isSink(name))
  if (listed.length === 0) return BLANK
  return isSink(first) ? namesLine(listed.map(parseListed)) : LEFT
}

function parseForeign(text: string): Host | undefined {
  const bare = text.replace(SCHEME, '$1').replace(PORT, '$1')
  return bare === text ? undefined : parseListed(bare)
}
