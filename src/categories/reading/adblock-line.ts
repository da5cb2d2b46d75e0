/** Lists for browsers (AdGuard, Adblock Plus, uBlock Origin): which of their lines say no more and no less than a host. */
import { BLANK, isSink, LEFT, parseListed, REFUSED, type ListLine } from './listed-name.ts'

// `site##.banner` hides a part of a site, `site$$script` cuts one out: read as a comment, it would close the whole of it.
const COSMETIC = /^[^\s#]+#(?:@?[$?%]*)?#|^[^\s$]+\$@?\$[a-z]/
const HEADER = /^\[(?:adblock|adguard|ublock)[^\]]*\]$/i
const BRACKETS = /^\[.*\]$/
/** `||domain^` is a host with its sub-domains. */
const HOST_RULE = /^\|\|([^/^$|*]+)\^\|?(?:\$(.+))?$/
const REGULAR_EXPRESSION = /^\/.+\/(?:\$\S+)?$/

/** Options that say of the whole host once more that it is closed. */
const WHOLE = new Set(['all', 'document', 'doc'])
/** Kinds of requests, which add to those and take nothing away from them; alone they narrow a rule to themselves. */
const KINDS = new Set(['popup', 'popunder', 'subdocument', 'frame'])
const NEUTRAL = new Set(['important', 'match-case'])

export const isCosmetic = (text: string): boolean => COSMETIC.test(text)

/** `undefined`: no line of such a list. With options that narrow it, or as an exception (`@@`), a line is left out. */
export function parseAdblock(text: string): ListLine | undefined {
  if (text.startsWith('!') || HEADER.test(text)) return { kind: 'blank', isAdblock: true }
  if (text.startsWith('||')) return parseHostRule(text)
  if (text.startsWith('@@') || /^\|(?:https?:|[a-z0-9_-]+\.)/i.test(text)) return LEFT
  if (REGULAR_EXPRESSION.test(text)) return LEFT
  return BRACKETS.test(text) && parseListed(text) === undefined ? BLANK : undefined
}

function parseHostRule(text: string): ListLine {
  const [, name, options] = HOST_RULE.exec(text) ?? []
  // A path, a wildcard, a beginning of a name: less than a host or more.
  if (name === undefined) return text.length > 3 ? LEFT : REFUSED
  if (options !== undefined && !takeNothingAway(options.split(','))) return LEFT
  const host = parseListed(name)
  if (host !== undefined) return { kind: 'hosts', hosts: [host] }
  return /^[^:]+:\d+$/.test(name) ? LEFT : REFUSED
}

function takeNothingAway(options: readonly string[]): boolean {
  const rest = options
    .map(option => option.trim().toLowerCase())
    .filter(option => !NEUTRAL.has(option) && !option.startsWith('reason=') && !isDnsSink(option))
  const isWhole = rest.length === 0 || rest.some(option => WHOLE.has(option))
  return isWhole && rest.every(option => WHOLE.has(option) || KINDS.has(option))
}

/** AdGuard Home's way of saying that a name leads nowhere: `dnsrewrite=NXDOMAIN;;`, `dnsrewrite=0.0.0.0`. */
function isDnsSink(option: string): boolean {
  const value = /^dnsrewrite=(?:noerror;a{1,4};)?(.+)$/.exec(option)?.[1]
  return value !== undefined && (/^(?:nxdomain|refused)(?:;;)?$/.test(value) || isSink(value))
}
