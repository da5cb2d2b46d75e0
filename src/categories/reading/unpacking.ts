/** Keeps the files of a list that is being read, as they are, in a folder of ours, and what it says of itself; counts the rest. */
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { PreauError, Words } from '../../errors.ts'
import type { Catalogue, CategoryId } from '../../policy/category.ts'
import { findListed } from '../catalogue.ts'
import { fileName } from '../list-folder.ts'
import { asUtf8, countLines, onlyText, readShort, type Chunks } from './chunks.ts'
import type { ListFile } from './index-lists.ts'
import { refused } from './refusal.ts'
import { joinUsages, parseGlobalUsage, parseUsage, type Usage, type UsageType } from './usage.ts'
import { isList, linkTarget, placeFile, safePath } from './ut1-layout.ts'
import type { IgnoredKind, ListPlace } from './ut1-layout.ts'

/** What an archive or folder may hold before it is refused whole. */
export interface UnpackLimits {
  readonly entries: number
  readonly bytes: number
}
export const UNPACK_LIMITS: UnpackLimits = { entries: 10_000, bytes: 2 ** 31 }
const USAGE_BYTES = 2 ** 16
const GLOBAL_USAGE_BYTES = 2 ** 20

const MAX_PASSED = 20

/** A file that was kept. */
export type Kept = Pick<ListFile, 'category' | 'kind'>

const LEAVES: Words = {
  fr: 'ce lien sort du dossier de la liste',
  en: 'a link that leaves the folder of the list',
}
const NO_TEXT: Words = { fr: 'ce n’est pas du texte', en: 'it is not text' }
const TWICE: Words = { fr: 'y figure deux fois', en: 'it appears twice' }

export class Unpacking {
  /** The folder a category was read from. */
  readonly #origins = new Map<CategoryId, string>()
  /** Lines of the folders whose category the catalogue does not know. */
  readonly unknown = new Map<string, number>()
  /** Symbolic links, and folders that repeat a category under another name; counted once, never followed. */
  readonly aliases = new Map<string, string>()
  readonly ignored: Record<IgnoredKind, number> = { very_restrictive_expression: 0, other: 0 }
  /** The first of the other files that were not read. */
  readonly passedOver: string[] = []
  /** The newest date that a file or an entry bears, as it stands there. */
  newestAt = 0
  /** True when the tree has UT1's own top folder. */
  isUt1 = false
  /** What errors name. */
  readonly source: string
  readonly #folder: string
  readonly #catalogue: Catalogue
  readonly #limits: UnpackLimits
  readonly #seen = new Set<string>()
  /** The files kept so far, by name, and whether their last line has ended. */
  readonly #endsInLine = new Map<string, boolean>()
  readonly #kept = new Map<string, Kept>()
  /** The folders of categories, known or not, by their own names. */
  readonly #folders = new Set<string>()
  readonly #usages = new Map<string, readonly UsageType[]>()
  #globalUsage: ReturnType<typeof parseGlobalUsage> = new Map()
  #bytes = 0

  /** `source` is the path or URL that errors name; `folder` exists and is empty. */
  constructor(source: string, folder: string, catalogue: Catalogue, limits = UNPACK_LIMITS) {
    this.source = source
    this.#folder = folder
    this.#catalogue = catalogue
    this.#limits = limits
  }

  /** What has a file. */
  get kept(): Kept[] {
    return [...this.#kept.values()]
  }

  /** What the source says of its folders. */
  get usages(): Map<string, Usage> {
    return joinUsages(this.#folders, this.#usages, this.#globalUsage)
  }

  /** Admits an entry and returns its path. Throws PREAU_LIST_REFUSED, naming it. */
  admit(name: string): string {
    const path = safePath(name)
    if (path === undefined)
      throw this.refuse(name, {
        fr: 'ce chemin sort du dossier de la liste',
        en: 'its path leaves the folder of the list',
      })
    if (path !== '' && this.#seen.has(path)) throw this.refuse(name, TWICE)
    this.#seen.add(path)
    if (this.#seen.size > this.#limits.entries)
      throw this.refuse(name, {
        fr: `plus de ${this.#limits.entries} éléments`,
        en: `more than ${this.#limits.entries} entries`,
      })
    if (path.startsWith('blacklists/')) this.isUt1 = true
    return path
  }

  refuse(name: string, { fr, en }: Words): PreauError {
    // A hostile name must not write escape sequences on the terminal that shows the error.
    const entry = JSON.stringify(name.slice(0, 200))
    return refused(this.source, { fr: `${entry} : ${fr}`, en: `${entry}: ${en}` })
  }

  /** Counts unpacked bytes against the limit: a gzip bomb is told by what comes out of it. */
  spend(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.bytes)
      throw refused(this.source, {
        fr: `plus de ${this.#limits.bytes} octets une fois décompressée`,
        en: `more than ${this.#limits.bytes} bytes once unpacked`,
      })
  }

  /** A symbolic link: of a folder as UT1 has them, or of one file. */
  link(path: string, to: string): void {
    const target = linkTarget(path, to)
    if (target === undefined) throw this.refuse(path, LEAVES)
    const [place, origin] = [placeFile(path), placeFile(target)]
    const idOf = ({ category }: ListPlace) => findListed(category, this.#catalogue)
    if (!isList(place) || !isList(origin)) this.aliases.set(shortName(path), shortName(target))
    else if (idOf(place) !== idOf(origin)) this.passOver(path)
    else this.aliases.set(place.category, origin.category)
  }

  /** A hard link: the same file once more, under another name. What it leads to has come before it. */
  async hardLink(path: string, to: string): Promise<void> {
    const target = safePath(to)
    if (target === undefined || !this.#seen.has(target)) throw this.refuse(path, LEAVES)
    const [place, origin] = [placeFile(path), placeFile(target)]
    if (!isList(place) || !isList(origin) || place.kind !== origin.kind) return this.passOver(path)
    const category = findListed(place.category, this.#catalogue)
    const same = findListed(origin.category, this.#catalogue)
    const kept = same === undefined ? '' : fileName(same, origin.kind)
    if (same === undefined) this.passOver(path)
    else if (category === undefined || category === same) this.aliases.set(place.category, same)
    else if (this.#kept.has(kept) && !this.#repeats(category, place))
      await this.keep(category, createReadStream(join(this.#folder, kept)), place.kind)
  }

  /** Counts a file that is not read, so that it can be told. */
  passOver(path: string, what: IgnoredKind = 'other'): void {
    this.ignored[what]++
    if (what === 'other' && this.passedOver.length < MAX_PASSED) this.passedOver.push(path)
  }

  /** Takes an ordinary file: keeps it when it belongs to a known category. Reads `chunks` to the end. */
  async file(path: string, chunks: Chunks): Promise<void> {
    const place = placeFile(path)
    if (place.kind === 'ignored') {
      this.passOver(path, place.what)
      await countLines(chunks)
      return
    }
    if (place.kind === 'global-usage') {
      this.#globalUsage = parseGlobalUsage(await this.#short(path, chunks, GLOBAL_USAGE_BYTES))
      return
    }
    this.#folders.add(place.category)
    if (place.kind === 'usage') {
      const types = parseUsage(await this.#short(path, chunks, USAGE_BYTES))
      this.#usages.set(place.category, types)
      return
    }
    const category = findListed(place.category, this.#catalogue)
    if (category === undefined) {
      const lines = this.unknown.get(place.category) ?? 0
      const more = await countLines(chunks)
      this.unknown.set(place.category, lines + (place.kind === 'domains' ? more : 0))
      return
    }
    if (this.#repeats(category, place)) {
      await countLines(chunks)
      return
    }
    // An entry whose size lies swallows the header of the next one.
    const text = onlyText(asUtf8(chunks), () => this.refuse(path, NO_TEXT))
    await this.keep(category, text, place.kind)
  }

  async #short(path: string, chunks: Chunks, max: number): Promise<Uint8Array> {
    const bytes = await readShort(chunks, max)
    if (bytes !== undefined) return bytes
    throw this.refuse(path, { fr: `plus de ${max} octets`, en: `more than ${max} bytes` })
  }

  /** Appends to the file of a category. */
  async keep(
    category: CategoryId,
    chunks: Chunks,
    kind: ListFile['kind'] = 'domains',
  ): Promise<void> {
    const name = fileName(category, kind)
    const endsInLine = this.#endsInLine.get(name)
    let last = 0x0a
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      if (endsInLine === false) yield Buffer.from('\n')
      for await (const chunk of chunks) {
        last = chunk.at(-1) ?? last
        yield chunk
      }
    }
    const flags = endsInLine === undefined ? 'w' : 'a'
    const file = createWriteStream(join(this.#folder, name), {
      flags,
      mode: 0o640,
      flush: true,
    })
    // A file that is still being opened would appear in the folder while it is removed.
    const closed = new Promise(resolve => file.once('close', resolve))
    try {
      await pipeline(watched, file)
    } finally {
      await closed
    }
    this.#endsInLine.set(name, last === 0x0a)
    this.#kept.set(name, { category, kind })
  }

  /** True for a copy of a category under another name (an archive unpacked by a tool that follows links). */
  #repeats(category: CategoryId, place: Pick<ListPlace, 'folder' | 'category'>): boolean {
    // One within another is no copy: both belong to the category.
    if (place.category.includes('/')) {
      this.aliases.set(place.category, category)
      return false
    }
    const origin = this.#origins.get(category)
    const isOwnName = place.category === category
    if (origin !== undefined && origin !== place.folder) {
      if (!isOwnName) {
        this.aliases.set(place.category, category)
        return true
      }
      if (shortName(origin) === category) throw this.refuse(place.folder, TWICE)
      this.aliases.set(shortName(origin), category)
      for (const kind of ['domains', 'urls', 'expressions'] as const) {
        this.#endsInLine.delete(fileName(category, kind))
        this.#kept.delete(fileName(category, kind))
      }
    }
    this.#origins.set(category, place.folder)
    return false
  }
}

const shortName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
