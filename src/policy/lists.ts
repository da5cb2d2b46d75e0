/** What is known about the imported lists, the index built from them, and the version that may come next. */
import { PreauError } from '../errors.ts'
import type { CategoryId } from './category.ts'
import type { Host } from './host.ts'
import type { HoldReason, Rehearsal } from './rehearsal.ts'

/** One imported list: an archive or folder of many categories, or one file of one category. Times are epoch ms. */
export interface ListInfo {
  /** Short name, e.g. `preau` (the starter lists), `ut1`. Importing under the same name replaces it. */
  readonly name: string
  /** The folder of its text files below `<dataDir>/lists/`; null for the starter lists, which stay in the project. */
  readonly folder: string | null
  /** Where it came from, as the person wrote it: a path or a URL. */
  readonly source: string
  /** When this content was read. */
  readonly importedAt: number
  /** The date that this content bears itself; absent where it bears none, and in documents of older versions. */
  readonly contentAt?: number
  /** When a list of this name was first read: entries without a later date came then. */
  readonly firstImportedAt: number
  /** When a category came to a list that stood already; absent: with the list. */
  readonly since: Readonly<Record<CategoryId, number>>
  /** Domains per category, each counted once. */
  readonly counts: Readonly<Record<CategoryId, number>>
  /** Pages (host and path) per category. */
  readonly urls: Readonly<Record<CategoryId, number>>
  /** Expressions per category; they act only where the policy turns them on. */
  readonly expressions: Readonly<Record<CategoryId, number>>
  /** Lines that are no domain, page or expression. */
  readonly refusedLines: number
  /** What else a person should know of it; absent in a document of an older version. */
  readonly remarks?: Remarks
}

/** What of a list was understood or seen and does not act, and what acts more widely than a site. Names are the first of many. */
export interface Remarks {
  /** Exceptions, options that narrow a line, parts of a site: they mean more or less than a host. */
  readonly lines: number
  readonly examples: readonly string[]
  /** Public suffixes that are left out, each a whole registry or hosting service; a local rule closes one all the same. */
  readonly suffixes: readonly { readonly host: Host; readonly category: CategoryId }[]
  readonly suffixLines: number
  /** Public suffixes that act, in categories whose lists name whole services on purpose. */
  readonly services: Remarks['suffixes']
  readonly serviceLines: number
  /** Categories of the source that the catalogue does not know. */
  readonly categories: readonly string[]
  /** Files of an archive or folder that hold no list of a known form. */
  readonly files: number
  readonly fileNames: readonly string[]
}

/** An index and the lists it was built from: all that is needed to put it in force, now or again. */
export interface ListsVersion {
  /** Sorts by time. */
  readonly id: string
  readonly builtAt: number
  readonly lists: readonly ListInfo[]
  /** The index file below `<dataDir>/lists/`, built from all of `lists`. */
  readonly index: string
  /** Hosts in the index. */
  readonly hosts: number
  /** Digest of the starter lists and the catalogue it was built from: a new Préau rebuilds. */
  readonly starterDigest: string
}

/** The version in force. */
export interface ListsDocument extends ListsVersion {
  readonly activatedAt: number
  /** A user's name, `cli` or `system`. */
  readonly activatedBy: string
  /** What was in force before, kept so that going back is instant; null when there is nothing to go back to. */
  readonly previous: ListsVersion | null
}

/** An update that waits for a person: built and rehearsed, not in force. There is one at most. */
export interface CandidateDocument {
  readonly version: ListsVersion
  /** The id of the version it was rehearsed against. */
  readonly base: string
  /** The list that brought it. */
  readonly list: string
  /** A user's name, `cli` or `system` (the schedule). */
  readonly by: string
  readonly rehearsal: Rehearsal
  /** Why it waits; never empty. */
  readonly holds: readonly HoldReason[]
}

/** Puts a version in force; what was in force is kept to go back to. `current` is undefined at the first start. */
export function putInForce(
  current: ListsDocument | undefined,
  version: ListsVersion,
  by: string,
  now: number,
): ListsDocument {
  return {
    ...versionOf(version),
    activatedAt: now,
    activatedBy: by,
    previous: current === undefined ? null : versionOf(current),
  }
}

/** Goes back to the version before; doing it twice comes forward again. Throws PREAU_NO_PREVIOUS_LISTS. */
export function rollBack(current: ListsDocument, by: string, now: number): ListsDocument {
  if (current.previous === null) throw new PreauError('PREAU_NO_PREVIOUS_LISTS')
  return putInForce(current, current.previous, by, now)
}

/** Puts the candidate in force. Throws PREAU_CANDIDATE_STALE when it was rehearsed against another version. */
export function activate(
  current: ListsDocument,
  candidate: CandidateDocument,
  by: string,
  now: number,
): ListsDocument {
  if (candidate.base !== current.id) throw new PreauError('PREAU_CANDIDATE_STALE')
  return putInForce(current, candidate.version, by, now)
}

/** The fields of a version alone, so that a chain of predecessors never grows. */
function versionOf(version: ListsVersion): ListsVersion {
  const { id, builtAt, lists, index, hosts, starterDigest } = version
  return { id, builtAt, lists, index, hosts, starterDigest }
}
