/** Reads kept files of domains into an index, counting what each line was. */
import type { CategoryId } from '../../policy/category.ts'
import { isAddress, type Host } from '../../policy/host.ts'
import { keyOfBytes } from '../index/host-key.ts'
import type { IndexWriter } from '../index/index-writer.ts'
import { readByteLines } from './byte-lines.ts'
import { parseListLine } from './list-line.ts'
import { parseUrlLine } from './url-line.ts'

/** A kept file, one entry a line, all of one category. */
export interface ListFile {
  readonly category: CategoryId
  readonly kind: 'domains' | 'urls' | 'expressions'
  readonly file: string
}

export interface RefusedLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** As it stands, cut to 120 characters. */
  readonly text: string
}

/** What the lines of a file were. `names` counts an entry as often as it stands there. */
export interface Tally {
  names: number
  refused: number
  /** The first refused lines. */
  readonly samples: RefusedLine[]
  /** The first name of the category. */
  example?: Host
}

export const MAX_SAMPLES = 20
const SAMPLE_LENGTH = 120

export function refuse(tally: Tally, { file, line, text }: RefusedLine): void {
  tally.refused++
  if (tally.samples.length < MAX_SAMPLES)
    tally.samples.push({ file, line, text: text.trim().slice(0, SAMPLE_LENGTH) })
}

/** Adds a file of domains to the index under a tag. Throws PREAU_FILE_UNREADABLE. `onBytes` hears of each chunk's size. */
export async function indexDomains(
  writer: IndexWriter,
  tag: number,
  file: string,
  onBytes: (bytes: number) => void = () => {},
): Promise<Tally> {
  const tally: Tally = { names: 0, refused: 0, samples: [] }
  const take = (text: string, line: number, isTooLong: boolean): void => {
    const parsed = isTooLong ? ({ kind: 'refused' } as const) : parseListLine(text)
    if (parsed.kind === 'hosts') {
      for (const host of parsed.hosts) writer.addHost(tag, host)
      tally.names += parsed.hosts.length
      const [first] = parsed.hosts
      if (first !== undefined && !isAddress(first)) tally.example ??= first
    } else if (parsed.kind === 'refused') refuse(tally, { file, line, text })
  }
  await readByteLines(
    file,
    (bytes, start, end, line, isTooLong) => {
      const key = isTooLong ? undefined : keyOfBytes(bytes, start, end)
      // Nearly every line is plain: no string is made for it. The first one is, to serve as an example.
      if (key === undefined || tally.example === undefined)
        take(bytes.toString('utf8', start, end), line, isTooLong)
      else {
        writer.addKey(tag, key.high, key.low)
        tally.names++
      }
    },
    onBytes,
  )
  return tally
}

/** Adds a file of pages: each under the tag `page`, its host under the tag `host`. Throws PREAU_FILE_UNREADABLE. */
export async function indexPages(
  writer: IndexWriter,
  tags: { readonly page: number; readonly host: number },
  file: string,
  onBytes: (bytes: number) => void = () => {},
): Promise<Tally> {
  const tally: Tally = { names: 0, refused: 0, samples: [] }
  await readByteLines(
    file,
    (bytes, start, end, line, isTooLong) => {
      const text = bytes.toString('utf8', start, end)
      const parsed = isTooLong ? ({ kind: 'refused' } as const) : parseUrlLine(text)
      if (parsed.kind === 'refused') refuse(tally, { file, line, text })
      if (parsed.kind !== 'page') return
      writer.addPage(tags.page, tags.host, parsed.host, parsed.path)
      tally.names++
    },
    onBytes,
  )
  return tally
}
