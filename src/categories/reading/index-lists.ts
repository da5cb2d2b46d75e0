/** Reads kept files of domains into an index, counting what each line was. */
import { createReadStream } from 'node:fs'
import { detailOf } from '../../error-detail.ts'
import { PreauError } from '../../errors.ts'
import type { CategoryId } from '../../policy/category.ts'
import { isAddress, type Host } from '../../policy/host.ts'
import type { IndexWriter } from '../index/index-writer.ts'
import { LineSplitter, type Line } from './line-splitter.ts'
import { parseListLine } from './list-line.ts'

/** A file of domains, one a line, all of one category. */
export interface DomainFile {
  readonly category: CategoryId
  readonly file: string
}

export interface RefusedLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** As it stands, cut to 120 characters. */
  readonly text: string
}

/** What the lines of a category were. `domains` counts each host once. */
export interface Tally {
  domains: number
  duplicates: number
  refused: number
  /** The first refused lines. */
  readonly samples: RefusedLine[]
  /** The first name of the category. */
  example?: Host
}

export const MAX_SAMPLES = 20
const SAMPLE_LENGTH = 120

/** Adds a file to the index. Throws PREAU_FILE_UNREADABLE. `onBytes` hears of each chunk's size. */
export async function indexDomains(
  writer: IndexWriter,
  { category, file }: DomainFile,
  onBytes: (bytes: number) => void = () => {},
): Promise<Tally> {
  const tally: Tally = { domains: 0, duplicates: 0, refused: 0, samples: [] }
  await readLines(
    file,
    line => {
      const parsed = line.isTooLong ? ({ kind: 'refused' } as const) : parseListLine(line.text)
      if (parsed.kind === 'blank') return
      if (parsed.kind === 'host') {
        if (writer.add(parsed.host, category)) tally.domains++
        else tally.duplicates++
        if (tally.example === undefined && !isAddress(parsed.host)) tally.example = parsed.host
        return
      }
      tally.refused++
      if (tally.samples.length < MAX_SAMPLES)
        tally.samples.push({ file, line: line.number, text: copy(line.text) })
    },
    onBytes,
  )
  return tally
}

/** A copy, because a slice would keep the whole chunk it was cut from in memory. */
function copy(text: string): string {
  return Buffer.from(text.trim().slice(0, SAMPLE_LENGTH)).toString()
}

/** Reads the lines of a file. Throws PREAU_FILE_UNREADABLE. */
export async function readLines(
  file: string,
  onLine: (line: Line) => void,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const splitter = new LineSplitter(onLine)
  try {
    for await (const chunk of createReadStream(file, {
      highWaterMark: 2 ** 18,
    }) as AsyncIterable<Buffer>) {
      splitter.push(chunk)
      onBytes(chunk.length)
    }
  } catch (error) {
    throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })
  }
  splitter.end()
}
