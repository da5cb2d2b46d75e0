/** Reads kept files of domains into an index, counting what each line was. */
import type { CategoryId } from '../../policy/category.ts'
import { isAddress, type Host } from '../../policy/host.ts'
import { keyOfBytes } from '../index/host-key.ts'
import type { IndexWriter } from '../index/index-writer.ts'
import { readByteLines } from './byte-lines.ts'
import { parseListLine } from './list-line.ts'
import type { ListLine } from './listed-name.ts'
import type { SuffixFilter } from './public-suffix.ts'
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
  /** Lines of no known form, or with a name that is none. */
  refused: number
  /** Lines that were understood, and mean more or less than a host or page: an exception, an option, a fragment. */
  left: number
  /** The first refused lines, and the first left ones. */
  readonly samples: RefusedLine[]
  readonly leftSamples: RefusedLine[]
  /** Public suffixes that were left out, the first of them. */
  readonly suffixes: Host[]
  suffixLines: number
  /** Those that count, since the category is about services. */
  readonly services: Host[]
  serviceLines: number
  /** The first name of the category. */
  example?: Host
}

export const createTally = (): Tally => ({
  names: 0,
  refused: 0,
  left: 0,
  samples: [],
  leftSamples: [],
  suffixes: [],
  suffixLines: 0,
  services: [],
  serviceLines: 0,
})

export const MAX_SAMPLES = 20
const SAMPLE_LENGTH = 120
const MAX_SUFFIXES = 200

export function refuse(tally: Tally, line: RefusedLine): void {
  tally.refused++
  keepSample(tally.samples, line)
}

function leaveOut(tally: Tally, line: RefusedLine): void {
  tally.left++
  keepSample(tally.leftSamples, line)
}

function keepSample(samples: RefusedLine[], { file, line, text }: RefusedLine): void {
  if (samples.length < MAX_SAMPLES)
    samples.push({ file, line, text: text.trim().slice(0, SAMPLE_LENGTH) })
}

function keepName(names: Host[], host: Host): void {
  if (names.length < MAX_SUFFIXES && !names.includes(host)) names.push(host)
}

export interface DomainFile {
  readonly file: string
  readonly tag: number
  readonly suffixes?: SuffixFilter | undefined
  /** Hears of each chunk's size. */
  readonly onBytes?: (bytes: number) => void
}

/** Adds a file of domains to the index under a tag. Throws PREAU_FILE_UNREADABLE. */
export async function indexDomains(
  writer: IndexWriter,
  { file, tag, suffixes, onBytes }: DomainFile,
): Promise<Tally> {
  const tally = createTally()
  let isAdblock = false
  const addHosts = (hosts: readonly Host[]): void => {
    for (const host of hosts) {
      const suffix = suffixes?.judge(host)
      if (suffix === 'left') {
        tally.suffixLines++
        keepName(tally.suffixes, host)
        continue
      }
      if (suffix === 'service') {
        tally.serviceLines++
        keepName(tally.services, host)
      }
      writer.addHost(tag, host)
      tally.names++
      if (tally.example === undefined && !isAddress(host)) tally.example = host
    }
  }
  const take = (text: string, line: number, isTooLong: boolean): void => {
    const parsed: ListLine = isTooLong ? { kind: 'refused' } : parseListLine(text)
    if (parsed.kind === 'hosts') {
      addHosts(parsed.hosts)
      if (parsed.odd !== undefined) refuse(tally, { file, line, text })
    } else if (parsed.kind === 'blank') isAdblock ||= parsed.isAdblock ?? false
    else if (parsed.kind === 'left' || (isAdblock && !isTooLong))
      // Patterns of addresses, which may look like anything.
      leaveOut(tally, { file, line, text })
    else refuse(tally, { file, line, text })
  }
  await readByteLines(
    file,
    (bytes, start, end, line, isTooLong) => {
      const key = isTooLong ? undefined : keyOfBytes(bytes, start, end)
      // Nearly every line is plain: no string is made for it. The first one is, to serve as an example.
      if (key === undefined || tally.example === undefined)
        take(bytes.toString('utf8', start, end), line, isTooLong)
      else if (suffixes?.mayBe(key) === true)
        addHosts([bytes.toString('latin1', start, end) as Host])
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
  const tally = createTally()
  await readByteLines(
    file,
    (bytes, start, end, line, isTooLong) => {
      const text = bytes.toString('utf8', start, end)
      const parsed = isTooLong ? ({ kind: 'refused' } as const) : parseUrlLine(text)
      if (parsed.kind === 'refused') refuse(tally, { file, line, text })
      if (parsed.kind === 'left') leaveOut(tally, { file, line, text })
      if (parsed.kind !== 'page') return
      writer.addPage(tags.page, tags.host, parsed.host, parsed.path)
      tally.names++
    },
    onBytes,
  )
  return tally
}
