/**
 * Public suffixes (publicsuffix.org) in lists. `co.uk` in a list of games would close a country, `github.io` the sites of
 * millions of strangers: nearly always a mistake of whoever made the list (Ultimate-Hosts-Blacklist #157, ruadlist #864).
 */
import { createRequire } from 'node:module'
import type { parse as parseName } from 'tldts'
import type { Catalogue, CategoryId } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import { lowOf, NO_NAME, prepend, type NameKey, type NameState } from '../index/host-key.ts'

/** Which names of a category are suffixes. */
export interface SuffixFilter {
  /** Whether the name of a key may be a suffix: seldom true, and costs next to nothing. */
  readonly mayBe: (key: NameKey) => boolean
  /** `left`: no entry of the index. `service`: meant, with all the sites of strangers under it. */
  readonly judge: (host: Host) => 'left' | 'service' | undefined
}

const require = createRequire(import.meta.url)

/**
 * What a category blocks or warns about holds no suffix of a registry (`gouv.fr`); and one of a company (`duckdns.org`) only
 * where lists of the category name whole services on purpose. Undefined: a category that closes nothing holds what it likes.
 */
export function suffixFilter(category: CategoryId, catalogue: Catalogue): SuffixFilter | undefined {
  const known = catalogue.get(category)
  if (known === undefined || known.severity === 'informative') return undefined
  const { mayBe, ownerOf } = (suffixes ??= loadSuffixes())
  return {
    mayBe,
    judge: host => {
      const owner = ownerOf(host)
      if (owner === undefined) return undefined
      return owner === 'company' && known.namesServices === true ? 'service' : 'left'
    },
  }
}

type Parse = typeof parseName

interface Suffixes {
  readonly mayBe: SuffixFilter['mayBe']
  /** Whose suffix a name is; undefined for any other name. */
  readonly ownerOf: (host: Host) => 'registry' | 'company' | undefined
}

/** Loaded by who reads lists, and kept: a process that serves never needs it. */
let suffixes: Suffixes | undefined

const MACHINE = /(?:\d{1,3}-){3}\d{1,3}/
const NINE = 57
const BITS = 20
const OPTIONS = {
  allowPrivateDomains: true,
  extractHostname: false,
  validateHostname: false,
  detectIp: true,
} as const

function loadSuffixes(): Suffixes {
  const { parse } = require('tldts') as { readonly parse: Parse }
  const [names, parents] = readRules()
  return {
    mayBe: ({ low, parentLow }) => names.has(low) || parents.has(parentLow),
    ownerOf: host => {
      // An address ends in a digit, and lists hold many.
      if (host.charCodeAt(host.length - 1) <= NINE) return undefined
      const dot = host.indexOf('.')
      const below = prepend(NO_NAME, host, dot + 1)
      if (!names.has(lowOf(prepend(below, host, 0, dot + 1))) && !parents.has(lowOf(below)))
        return undefined
      const { publicSuffix, isPrivate } = parse(host, OPTIONS)
      // One that bears an address is one machine of a company, `ec2-192-0-2-7.compute-1.amazonaws.com`: nobody else's.
      if (publicSuffix !== host || MACHINE.test(host)) return undefined
      return isPrivate === true ? 'company' : 'registry'
    },
  }
}

/** Halves of keys, of which one in a hundred is told wrongly to be there: what is not needs no further question. */
class Sieve {
  readonly #bits = new Uint8Array(2 ** (BITS - 3))

  add(low: number): void {
    const bit = low >>> (32 - BITS)
    this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }

  has(low: number): boolean {
    const bit = low >>> (32 - BITS)
    return (((this.#bits[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1
  }
}

interface Trie {
  readonly nodeFlags: Uint8Array
  readonly edgeStart: ArrayLike<number>
  readonly edgeLength: ArrayLike<number>
  readonly edgeChild: ArrayLike<number>
  readonly labelText: string
  readonly rulesRoot: number
}

/**
 * The suffixes, and the parents of those that are any label before one (`*.ck`). The package answers for one host, a
 * microsecond each; asked for the whole of UT1 it would cost as much as the import. So its table is read once.
 */
function readRules(): readonly [names: Sieve, parents: Sieve] {
  const trie = require('tldts/dist/cjs/src/data/trie.js') as Trie
  const { nodeFlags, edgeStart, edgeLength, edgeChild, labelText, rulesRoot } = trie
  const ends = new Uint32Array(edgeLength.length)
  for (let edge = 0, end = 0; edge < ends.length; edge++) ends[edge] = end += edgeLength[edge] ?? 0
  const names = new Sieve()
  const parents = new Sieve()
  const walk = (node: number, below: NameState): void => {
    for (let edge = edgeStart[node] ?? 0; edge < (edgeStart[node + 1] ?? 0); edge++) {
      const end = ends[edge] ?? 0
      const start = end - (edgeLength[edge] ?? 0)
      const child = edgeChild[edge] ?? 0
      const isAny = end - start === 1 && labelText[start] === '*'
      if (isAny) parents.add(lowOf(below))
      const before = below === NO_NAME ? below : prepend(below, '.')
      const name = prepend(before, labelText, start, end)
      if (!isAny && below !== NO_NAME && (nodeFlags[child] ?? 0) !== 0) names.add(lowOf(name))
      walk(child, name)
    }
  }
  walk(rulesRoot, NO_NAME)
  return [names, parents]
}
