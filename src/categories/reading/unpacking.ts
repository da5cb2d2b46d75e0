/** Keeps the domain files of a list that is being read, as they are, in a folder of ours; everything else is counted. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { PreauError, type Words } from '../../errors.ts'
import type { Catalogue, CategoryId } from '../../policy/category.ts'
import { findCategory } from '../catalogue.ts'
import { fileName } from '../list-folder.ts'
import { linkTarget, placeFile, safePath, type IgnoredKind } from './ut1-layout.ts'

/** What an archive or folder may hold before it is refused whole. */
export interface UnpackLimits {
  readonly entries: number
  readonly bytes: number
}
export const UNPACK_LIMITS: UnpackLimits = { entries: 10_000, bytes: 2 ** 31 }

export type Chunks = AsyncIterable<Uint8Array>

export const refused = (file: string, detail: Words): PreauError =>
  new PreauError('PREAU_LIST_REFUSED', { file, detail })

const TWICE: Words = { fr: 'y figure deux fois', en: 'it appears twice' }

export class Unpacking {
  /** The folder a category was read from. */
  readonly #origins = new Map<CategoryId, string>()
  /** Lines of the folders whose category the catalogue does not know. */
  readonly unknown = new Map<string, number>()
  /** Symbolic links, and folders that repeat a category under another name; counted once, never followed. */
  readonly aliases = new Map<string, string>()
  readonly ignored: Record<IgnoredKind, number> = { urls: 0, expressions: 0, usage: 0, other: 0 }
  /** True when the tree has UT1's own top folder. */
  isUt1 = false
  readonly #source: string
  readonly #folder: string
  readonly #catalogue: Catalogue
  readonly #limits: UnpackLimits
  readonly #seen = new Set<string>()
  readonly #endsInLine = new Map<CategoryId, boolean>()
  #bytes = 0

  /** `source` is the path that errors name; `folder` exists and is empty. */
  constructor(source: string, folder: string, catalogue: Catalogue, limits = UNPACK_LIMITS) {
    this.#source = source
    this.#folder = folder
    this.#catalogue = catalogue
    this.#limits = limits
  }

  /** The categories that have a file. */
  get kept(): CategoryId[] {
    return [...this.#endsInLine.keys()]
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
    return refused(this.#source, { fr: `${entry} : ${fr}`, en: `${entry}: ${en}` })
  }

  /** Counts unpacked bytes against the limit: a gzip bomb is told by what comes out of it. */
  spend(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.bytes)
      throw refused(this.#source, {
        fr: `plus de ${this.#limits.bytes} octets une fois décompressée`,
        en: `more than ${this.#limits.bytes} bytes once unpacked`,
      })
  }

  link(path: string, to: string): void {
    const target = linkTarget(path, to)
    if (target === undefined)
      throw this.refuse(path, {
        fr: 'ce lien sort du dossier de la liste',
        en: 'a link that leaves the folder of the list',
      })
    this.aliases.set(shortName(path), shortName(target))
  }

  /** Takes an ordinary file: keeps it when it holds domains of a known category. Reads `chunks` to the end. */
  async file(path: string, chunks: Chunks): Promise<void> {
    const place = placeFile(path)
    if (place.kind === 'ignored') {
      this.ignored[place.what]++
      await countLines(chunks)
      return
    }
    const category = findCategory(place.category, this.#catalogue)
    if (category === undefined) {
      const lines = this.unknown.get(place.category) ?? 0
      this.unknown.set(place.category, lines + (await countLines(chunks)))
      return
    }
    if (this.#repeats(category, place)) {
      await countLines(chunks)
      return
    }
    await this.keep(category, chunks)
  }

  /** Appends to the file of a category. */
  async keep(category: CategoryId, chunks: Chunks): Promise<void> {
    const endsInLine = this.#endsInLine.get(category)
    let last = 0x0a
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      if (endsInLine === false) yield Buffer.from('\n')
      for await (const chunk of chunks) {
        last = chunk.at(-1) ?? last
        yield chunk
      }
    }
    const flags = endsInLine === undefined ? 'w' : 'a'
    const file = createWriteStream(join(this.#folder, fileName(category)), {
      flags,
      mode: 0o640,
      flush: true,
    })
    await pipeline(watched, file)
    this.#endsInLine.set(category, last === 0x0a)
  }

  /** True for a copy of a category under another name (an archive unpacked by a tool that follows links). */
  #repeats(category: CategoryId, place: { folder: string; category: string }): boolean {
    const origin = this.#origins.get(category)
    const isOwnName = place.category === category
    if (origin !== undefined && origin !== place.folder) {
      if (!isOwnName) {
        this.aliases.set(place.category, category)
        return true
      }
      if (shortName(origin) === category) throw this.refuse(place.folder, TWICE)
      this.aliases.set(shortName(origin), category)
      this.#endsInLine.delete(category)
    }
    this.#origins.set(category, place.folder)
    return false
  }
}

const shortName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

async function countLines(chunks: Chunks): Promise<number> {
  let lines = 0
  for await (const chunk of chunks) {
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) lines++
  }
  return lines
}
