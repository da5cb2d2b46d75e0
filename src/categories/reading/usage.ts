/** What UT1 says its lists are for: the `usage` file of each folder, and `global_usage`, which has labels in French. */
import type { Catalogue, CategoryId, Severity } from '../../policy/category.ts'
import { findCategory } from '../catalogue.ts'
import { decodeEntities, decodeText } from './text.ts'

/** UT1's own words: a list to block, a list to allow. */
export type UsageType = 'black' | 'white'

/** What the source says of one folder. */
export interface Usage {
  /** As the folder's own `usage` file says, in its order; some say both. */
  readonly types: readonly UsageType[]
  /** As `global_usage` says. */
  readonly global?: UsageType
  /** The French label of `global_usage`, its typos included. */
  readonly label?: string
}

/** A category for which the source contradicts itself or the catalogue. The catalogue decides. */
export interface Contradiction {
  readonly category: CategoryId
  readonly types: readonly UsageType[]
  readonly global?: UsageType
  readonly severity: Severity
}

type GlobalUsage = ReadonlyMap<string, Omit<Usage, 'types'>>

const MAX_LABEL = 100
const MAX_BLOCKS = 1_000

const isType = (word: string): word is UsageType => word === 'black' || word === 'white'

/** Reads a `usage` file: types, one a line, among other words and `#` comments. */
export function parseUsage(bytes: Uint8Array): UsageType[] {
  const words = decodeText(bytes)
    .split('\n')
    .map(line => line.trim().toLowerCase())
  return [...new Set(words.filter(isType))]
}

const FIELD = /^(NAME|DEFAULT_TYPE|NAME[ \t]+FR)[ \t]*:[ \t]*(.*)$/i

/** Reads `global_usage`: a block of fields for each folder, begun by its `NAME:`. */
export function parseGlobalUsage(bytes: Uint8Array): GlobalUsage {
  const blocks = new Map<string, { global?: UsageType; label?: string }>()
  let block: { global?: UsageType; label?: string } | undefined
  for (const line of decodeText(bytes).split('\n')) {
    const [, field = '', text = ''] = FIELD.exec(line.trim()) ?? []
    const [name, value] = [field.toUpperCase(), text.trim()]
    if (name === 'NAME') {
      block = blocks.size < MAX_BLOCKS ? {} : undefined
      if (block !== undefined && value !== '') blocks.set(value, block)
    } else if (name === 'DEFAULT_TYPE') {
      const type = value.toLowerCase()
      if (block !== undefined && isType(type)) block.global = type
    } else if (name !== '' && block !== undefined && value !== '') {
      block.label = decodeEntities(value).slice(0, MAX_LABEL)
    }
  }
  return blocks
}

/** Joins what both say, for the folders that are there. */
export function joinUsages(
  folders: Iterable<string>,
  own: ReadonlyMap<string, readonly UsageType[]>,
  global: GlobalUsage,
): Map<string, Usage> {
  const usages = new Map<string, Usage>()
  for (const folder of folders) {
    const usage = { types: own.get(folder) ?? [], ...global.get(folder) }
    if (own.has(folder) || global.has(folder)) usages.set(folder, usage)
  }
  return usages
}

/** Where the folder, `global_usage` and the catalogue do not say the same. A folder that says both contradicts nobody. */
export function findContradictions(
  usages: ReadonlyMap<string, Usage>,
  catalogue: Catalogue,
): Contradiction[] {
  return [...usages].flatMap(([folder, { types, global }]) => {
    const category = findCategory(folder, catalogue)
    const severity = category === undefined ? undefined : catalogue.get(category)?.severity
    if (category === undefined || severity === undefined) return []
    const ours: UsageType = severity === 'informative' ? 'white' : 'black'
    const accepts = (type: UsageType): boolean => types.length === 0 || types.includes(type)
    const agrees = accepts(ours) && (global === undefined || (global === ours && accepts(global)))
    return agrees ? [] : [{ category, types, ...(global ? { global } : {}), severity }]
  })
}
