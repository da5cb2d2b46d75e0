/** What is known about the imported lists and the index built from them. */
import type { CategoryId } from './category.ts'

/** One imported list: an archive or folder of many categories, or one file of one category. */
export interface ListInfo {
  /** Short name, e.g. `preau` (the starter lists), `ut1`. Importing under the same name replaces it. */
  readonly name: string
  /** The folder of its text files below `<dataDir>/lists/`; null for the starter lists, which stay in the project. */
  readonly folder: string | null
  /** Where it came from, as the person wrote it. */
  readonly source: string
  /** Epoch ms. */
  readonly importedAt: number
  /** Domains per category. */
  readonly counts: Readonly<Record<CategoryId, number>>
  /** Lines that are no domain. */
  readonly refusedLines: number
}

export interface ListsDocument {
  readonly lists: readonly ListInfo[]
  /** The index file below `<dataDir>/lists/`, built from all of `lists`. */
  readonly index: string
  /** Digest of the starter lists and the catalogue it was built from: a new Préau rebuilds. */
  readonly starterDigest: string
}
