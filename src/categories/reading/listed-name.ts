/** What a line of a list may say, the names that it may hold, and the addresses by which lists say that a name leads nowhere. */
import { isIPv4 } from 'node:net'
import { isAddress, parseHost, parseHumanHost, type Host } from '../../policy/host.ts'

export type ListLine =
  /** `odd`: names of the same line that are no hosts; the others count all the same. */
  | { readonly kind: 'hosts'; readonly hosts: readonly Host[]; readonly odd?: number }
  /** `isAdblock`: the line tells that the whole file is a list for browsers, where unknown lines are patterns. */
  | { readonly kind: 'blank'; readonly isAdblock?: true }
  /** Understood, and it means more or less than hosts with their sub-domains: an exception, a part of a site, an option. */
  | { readonly kind: 'left' }
  /** Of no form that is known. */
  | { readonly kind: 'refused' }

export const BLANK: ListLine = { kind: 'blank' }
export const LEFT: ListLine = { kind: 'left' }
export const REFUSED: ListLine = { kind: 'refused' }

/** The line of the names that could be read: those that could not are counted, and with none left it is refused. */
export function namesLine(names: readonly (Host | undefined)[]): ListLine {
  const hosts = names.filter(host => host !== undefined)
  if (hosts.length === 0) return REFUSED
  const odd = names.length - hosts.length
  return odd === 0 ? { kind: 'hosts', hosts } : { kind: 'hosts', hosts, odd }
}

// The blank after the address is missing: `0.0.0.0stratum.example` would be a host that nobody asks for, and the one that
// is meant would stay open.
const GLUED = /^(?:0|127)(?:\.\d{1,3}){3}[a-z_-]/i

/** A host of at least two labels, or an address: no line (`.`, `*`, `com`) can stand for the whole web. */
export function parseListed(name: string): Host | undefined {
  if (GLUED.test(name)) return undefined
  const host = parseHumanHost(name)
  return host !== undefined && (host.includes('.') || isAddress(host)) ? host : undefined
}

/** The same without what lists write before a host to mean it with its sub-domains: `.x`, `*.x`, `+.x`. */
export const parseWidened = (name: string): Host | undefined =>
  parseListed(name.replace(/^[*+]?\./, ''))

const COMMON = new Set(['0.0.0.0', '127.0.0.1', '::', '::1'])
// As old resolvers read them. A bare `1` is the first line of a ranking, not an address.
const SHORT = /^(?:0(?:\.0){0,2}|127(?:\.\d{1,3}){1,2})$/

/** Whether an address leads nowhere: unspecified, loopback, "this network" (RFC 1122 §3.2.1.3), or the broadcast one. */
export function isSink(text: string): boolean {
  if (COMMON.has(text) || SHORT.test(text)) return true
  const address = parseHost(text)
  if (address === undefined) return false
  if (!isIPv4(address)) return address === '::' || address === '::1'
  return /^(?:0|127)\./.test(address) || address === '255.255.255.255'
}

/** Whether a word stands where a hosts file has its address: `fe80::1%lo0`, `0`, `127.1`. */
export const isAddressWord = (word: string): boolean =>
  SHORT.test(word) || isAddressText(word.replace(/%.*$/, ''))

function isAddressText(text: string): boolean {
  const host = parseHost(text)
  return host !== undefined && isAddress(host)
}
