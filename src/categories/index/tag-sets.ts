/** Numbers for tags and for the sets of tags that really occur, so that a record holds 16 bits whatever it says. */
import { PreauError } from '../../errors.ts'
import { MAX_SETS, type Tag, type TagKind } from './index-format.ts'

export class TagSets {
  readonly #tags: Tag[] = []
  readonly #numbers = new Map<string, number>()
  readonly #sets: number[][] = [[]]
  readonly #setNumbers = new Map<string, number>([['', 0]])
  readonly #unions = new Map<number, number>()
  readonly #kinds: Set<TagKind>[] = [new Set()]

  /** The number of a tag; the same tag has the same number. */
  tag(tag: Tag): number {
    const name = JSON.stringify([tag.list, tag.category, tag.kind])
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.#tags.length
      if (number >= MAX_SETS) throw tooMany(tag.list)
      this.#tags.push({ list: tag.list, category: tag.category, kind: tag.kind })
      this.#numbers.set(name, number)
    }
    return number
  }

  /** The number of the set `set` with one tag more. Throws PREAU_LIST_REFUSED when there are too many. */
  join(set: number, tag: number): number {
    const pair = set * MAX_SETS + tag
    const known = this.#unions.get(pair)
    if (known !== undefined) return known
    const union = [...new Set([...(this.#sets[set] ?? []), tag])].sort((a, b) => a - b)
    const name = union.join()
    let number = this.#setNumbers.get(name)
    if (number === undefined) {
      number = this.#sets.length
      if (number >= MAX_SETS) throw tooMany(this.#tags[tag]?.list ?? '')
      this.#sets.push(union)
      this.#kinds.push(new Set(union.flatMap(at => this.#tags[at]?.kind ?? [])))
      this.#setNumbers.set(name, number)
    }
    this.#unions.set(pair, number)
    return number
  }

  hasKind(set: number, kind: TagKind): boolean {
    return this.#kinds[set]?.has(kind) ?? false
  }

  tags(): Tag[] {
    return [...this.#tags]
  }

  sets(): number[][] {
    return this.#sets
  }
}

function tooMany(list: string): PreauError {
  return new PreauError('PREAU_LIST_REFUSED', {
    file: list,
    detail: {
      fr: `trop de combinaisons de catégories (plus de ${MAX_SETS})`,
      en: `too many combinations of categories (more than ${MAX_SETS})`,
    },
  })
}
