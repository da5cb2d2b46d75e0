/** Which line of which list says what a host is: for `preau check` and for whoever doubts a verdict. */
import type { CategoryId } from '../policy/category.ts'
import { isAddress, suffixes, type Host } from '../policy/host.ts'
import type { ListsDocument } from '../policy/lists.ts'
import { readLines } from './reading/index-lists.ts'
import { filesOf } from './list-folder.ts'
import { parseListLine } from './reading/list-line.ts'

export interface ListMatch {
  readonly category: CategoryId
  /** The name of the list. */
  readonly list: string
  /** Path of the kept file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The line as it stands. */
  readonly text: string
  /** The listed domain: the host itself or a parent of it. */
  readonly domain: Host
}

const MAX_MATCHES = 100

/** Scans the kept files for the host and its parents. Throws PREAU_FILE_UNREADABLE. At most 100 matches. */
export async function explainHost({
  dataDir,
  document,
  host,
}: {
  readonly dataDir: string
  readonly document: ListsDocument
  readonly host: Host
}): Promise<ListMatch[]> {
  const isWanted = createFilter(host)
  const names = new Set<Host>(suffixes(host))
  const matches: ListMatch[] = []
  for (const list of document.lists) {
    for (const { category, file } of await filesOf(dataDir, list)) {
      await readLines(file, ({ text, number, isTooLong }) => {
        if (isTooLong || matches.length >= MAX_MATCHES || !isWanted(text)) return
        const parsed = parseListLine(text)
        if (parsed.kind !== 'host' || !names.has(parsed.host)) return
        const line = { file, line: number, text: text.trim(), domain: parsed.host }
        matches.push({ category, list: list.name, ...line })
      })
    }
  }
  return matches
}

/** A cheap sieve before the parser: every spelling of a domain in ASCII holds its last two labels. */
function createFilter(host: Host): (line: string) => boolean {
  if (isAddress(host)) return () => true
  const tail = host.split('.').slice(-2).join('.')
  // oxlint-disable-next-line no-control-regex -- telling ASCII from the rest is the point
  return line => line.toLowerCase().includes(tail) || /[^\x00-\x7f]/.test(line)
}
