/** Pages as 64-bit keys: a host and the beginning of a path, up to a place where a path may be cut. */
import type { Host } from '../../policy/host.ts'
import { normalPath } from '../../policy/page-path.ts'
import { hostKey, type OnKey } from './host-key.ts'

/** How far into a path we look, and at how many places: a longer one is judged by its beginning. */
const MAX_PATH = 2_048
const MAX_CUTS = 64
// An entry `/a` covers `/a/b` and `/a?b`, never `/ab`; one that ends like `/a?id=` covers what follows.
const codesOf = (text: string): Set<number> => new Set(Buffer.from(text))
const CUTS_BEFORE = codesOf('/?&;#')
const CUTS_AFTER = codesOf('/?&=;')

function mix(state: number): number {
  let h = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** Lists name a site without its `www.`. */
export function withoutWww(host: Host): Host {
  return host.startsWith('www.') && host.indexOf('.', 4) !== -1 ? (host.slice(4) as Host) : host
}

/** Visits the key of each beginning of the path that a list may name, the whole path last. `asked` begins with a slash. */
export function visitPageKeys(host: Host, asked: string, visit: OnKey): void {
  const path = normalPath(asked)
  let { high, low } = hostKey(withoutWww(host))
  const end = Math.min(path.length, MAX_PATH)
  let cuts = 0
  for (let i = 0; i < end && cuts < MAX_CUTS; i++) {
    const code = path.charCodeAt(i)
    high = (Math.imul(high ^ code, 0x01000193) + 0x9e3779b9) | 0
    low = (Math.imul((low << 11) | (low >>> 21), 9) + Math.imul(code + 0x35, 0x85ebca6b)) | 0
    const isCut =
      i + 1 === path.length || CUTS_AFTER.has(code) || CUTS_BEFORE.has(path.charCodeAt(i + 1))
    if (!isCut) continue
    cuts++
    visit(mix(high), mix(low ^ high))
  }
}

/** The key of an entry of a list. The path begins with a slash and is at most `MAX_PATH` long in its normal form. */
export function pageKey(host: Host, listed: string): { high: number; low: number } {
  const path = normalPath(listed)
  let { high, low } = hostKey(withoutWww(host))
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    high = (Math.imul(high ^ code, 0x01000193) + 0x9e3779b9) | 0
    low = (Math.imul((low << 11) | (low >>> 21), 9) + Math.imul(code + 0x35, 0x85ebca6b)) | 0
  }
  return { high: mix(high), low: mix(low ^ high) }
}
