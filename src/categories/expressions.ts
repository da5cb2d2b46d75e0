/** The expressions of the categories for which the policy turns them on, joined so that one run over an address tells all. */
import { LRUCache } from 'lru-cache'
import { RE2Set } from 're2js'
import type { CategoryId, CategorySet, PageLookup } from '../policy/category.ts'
import type { Host } from '../policy/host.ts'
import { normalPath } from '../policy/page-path.ts'
import type { ListsVersion } from '../policy/lists.ts'
import { filesOf } from './list-folder.ts'
import {
  EXPRESSION_FLAGS,
  MAX_EXPRESSIONS,
  MAX_PROGRAMS,
  readExpressions,
} from './reading/expression-line.ts'

/** How far into an address expressions look. */
const MAX_ADDRESS = 2_048
/**
 * Instructions times characters: at worst every instruction is alive at every character, some 50 ns each. Up to a thousand
 * instructions (all of UT1 are 730) the whole of `MAX_ADDRESS` is looked at, and less of it beyond.
 */
const MAX_WORK = 2 ** 21
/** Hosts of CONNECT whose answer is kept. */
const CACHED_HOSTS = 10_000
/** Of the automaton that grows as addresses come; beyond it the engine starts it anew. */
const AUTOMATON_BYTES = 2 ** 23
const CUT = '\0'
const EMPTY: CategorySet = Object.freeze([])

export interface Expressions {
  /** The categories whose expressions match an address. */
  readonly match: PageLookup
  /** Expressions in force. */
  readonly count: number
  /** Expressions left out, because those of all categories together are too many or too big. */
  readonly left: number
}

/** What expressions are matched against: squidGuard's form, `host/` alone where the path is hidden. */
export function addressOf(host: Host, path: string | undefined, max = MAX_ADDRESS): string {
  const address = `${host}${path ?? '/'}`
  // The mark keeps `$` from matching where an address is merely cut.
  return address.length > max ? `${address.slice(0, max)}${CUT}` : address
}

/** Opens the expressions of some categories. Throws PREAU_FILE_UNREADABLE. */
export async function openExpressions({
  dataDir,
  version,
  categories,
}: {
  readonly dataDir: string
  readonly version: ListsVersion
  readonly categories: readonly CategoryId[]
}): Promise<Expressions> {
  const set = new RE2Set(RE2Set.UNANCHORED, EXPRESSION_FLAGS, AUTOMATON_BYTES)
  const owners: CategoryId[] = []
  let [programs, left] = [0, 0]
  for (const list of version.lists) {
    for (const { category, kind, file } of await filesOf(dataDir, list)) {
      if (kind !== 'expressions' || !categories.includes(category)) continue
      await readExpressions(file, ({ text, size }) => {
        if (owners.length >= MAX_EXPRESSIONS || programs + size > MAX_PROGRAMS) {
          left++
          return
        }
        programs += size
        set.add(text)
        owners.push(category)
      })
    }
  }
  if (owners.length === 0) return { match: () => EMPTY, count: 0, left }
  set.compile()
  const max = Math.min(MAX_ADDRESS, Math.floor(MAX_WORK / programs))
  return { match: createMatcher(set, owners, max), count: owners.length, left }
}

function createMatcher(set: RE2Set, owners: readonly CategoryId[], max: number): PageLookup {
  const hosts = new LRUCache<Host, CategorySet>({ max: CACHED_HOSTS })
  const match = (address: string): CategorySet => {
    const found = set.match(address)
    if (found.length === 0) return EMPTY
    const categories = new Set(found.map(at => owners[at] ?? ''))
    return Object.freeze([...categories].sort())
  }
  return (host, path) => {
    if (path !== undefined) {
      const asItStands = match(addressOf(host, path, max))
      const normal = normalPath(path)
      if (normal === path) return asItStands
      // Whoever wrote the expression may have meant either spelling.
      return join(asItStands, match(addressOf(host, normal, max)))
    }
    let found = hosts.get(host)
    if (found === undefined) {
      found = match(addressOf(host, path, max))
      hosts.set(host, found)
    }
    return found
  }
}

function join(a: CategorySet, b: CategorySet): CategorySet {
  if (b.length === 0 || a === b) return a
  return a.length === 0 ? b : Object.freeze([...new Set([...a, ...b])].sort())
}
