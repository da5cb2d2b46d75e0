/**
 * When the entries of a list came into it. An update notes those that its list had not before, one line each (instant,
 * category, domain); all others came with the list or with their category.
 */
import { createWriteStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Catalogue, CategoryId } from '../policy/category.ts'
import type { Host } from '../policy/host.ts'
import type { ListsVersion } from '../policy/lists.ts'
import { hostKey, keyOfBytes, type Key } from './index/host-key.ts'
import { readTable, type IndexTable } from './index/index-table.ts'
import { indexFile, listsFolder } from './list-folder.ts'
import { readByteLines } from './reading/byte-lines.ts'
import type { ListFile } from './reading/index-lists.ts'
import { parseListLine } from './reading/list-line.ts'
import { suffixFilter } from './reading/public-suffix.ts'

/** The file of a kept list that says when its entries came. */
export const ARRIVALS = 'arrivals.tsv'
const KEPT_MS = 400 * 86_400_000
/** Enough for years of updates; an update that brings more is a new list rather than news. */
const MAX_LINES = 1_000_000

export interface Update {
  readonly dataDir: string
  readonly before: ListsVersion
  /** The name of the list that is replaced. */
  readonly name: string
  /** The new folder and the files in it. */
  readonly folder: string
  readonly files: readonly ListFile[]
  readonly catalogue: Catalogue
  readonly now: number
}

/** Notes what an update brings, after what earlier ones brought. Throws PREAU_INDEX_DAMAGED or PREAU_FILE_UNREADABLE. */
export async function writeArrivals(update: Update): Promise<void> {
  const { dataDir, before, name, folder, files, catalogue, now } = update
  const replaced = before.lists.find(list => list.name === name)
  const oldFolder = replaced?.folder ?? null
  if (replaced === undefined || oldFolder === null) return
  const output = createWriteStream(join(folder, ARRIVALS), { mode: 0o640, flush: true })
  const done = finished(output)
  done.catch(() => undefined)
  let lines = 0
  let text = ''
  const flush = async (): Promise<void> => {
    if (text === '') return
    const isReady = output.write(text)
    text = ''
    if (!isReady) await Promise.race([once(output, 'drain'), done])
  }
  const write = (line: string): void => {
    if (++lines <= MAX_LINES) text += line
  }
  const old = join(listsFolder(dataDir), oldFolder, ARRIVALS)
  if (existsSync(old)) {
    await readByteLines(old, (bytes, start, end) => {
      const line = bytes.toString('utf8', start, end)
      if (now - Number.parseInt(line, 10) < KEPT_MS) write(`${line}\n`)
    })
  }
  await flush()
  const table = await readTable(indexFile(dataDir, before))
  for (const { category, kind, file } of files) {
    if (kind !== 'domains' || !(category in replaced.counts)) continue
    const isOld = createQuestion(table, name, category)
    const suffixes = suffixFilter(category, catalogue)
    await eachDomain(file, isOld, domain => {
      if (suffixes?.judge(domain) !== 'left') write(`${now}\t${category}\t${domain}\n`)
    })
    await flush()
  }
  output.end()
  await done
}

/** Whether the index holds a key for a list and category. */
function createQuestion(
  { header, find }: IndexTable,
  list: string,
  category: CategoryId,
): (key: Key) => boolean {
  const wanted = header.tags.findIndex(
    tag => tag.list === list && tag.category === category && tag.kind === 'host',
  )
  const isIn = header.sets.map(set => set.includes(wanted))
  return ({ high, low }) => isIn[find(high, low)] ?? false
}

async function eachDomain(
  file: string,
  isOld: (key: Key) => boolean,
  onNew: (domain: Host) => void,
): Promise<void> {
  await readByteLines(file, (bytes, start, end, _number, isTooLong) => {
    if (isTooLong) return
    const key = keyOfBytes(bytes, start, end)
    if (key !== undefined && isOld(key)) return
    const parsed = parseListLine(bytes.toString('utf8', start, end))
    if (parsed.kind !== 'hosts') return
    for (const host of parsed.hosts) if (!isOld(hostKey(host))) onNew(host)
  })
}

/** When a domain came into a category of a list by an update; undefined when it came with it. */
export async function arrivalOf({
  dataDir,
  folder,
  category,
  domain,
}: {
  readonly dataDir: string
  readonly folder: string
  readonly category: CategoryId
  readonly domain: Host
}): Promise<number | undefined> {
  const file = join(listsFolder(dataDir), folder, ARRIVALS)
  if (!existsSync(file)) return undefined
  const ending = Buffer.from(`\t${category}\t${domain}`)
  let found: number | undefined
  await readByteLines(file, (bytes, start, end) => {
    const at = end - ending.length
    if (at > start && bytes.compare(ending, 0, ending.length, at, end) === 0)
      found = Number.parseInt(bytes.toString('latin1', start, at), 10)
  })
  return found
}
