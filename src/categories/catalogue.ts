/** The catalogue of categories: `categories/catalogue.json`, which a DSI can read and correct, validated and frozen. */
import { z } from 'zod'
import type { Catalogue, Category, CategoryId } from '../policy/category.ts'
import data from '../../categories/catalogue.json' with { type: 'json' }

const bilingual = z.strictObject({ fr: z.string().min(1), en: z.string().min(1) }).readonly()
const categoryId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/)

const catalogueSchema = z.array(
  z.strictObject({
    id: categoryId,
    severity: z.enum(['never', 'blockable', 'warnable', 'informative']),
    label: bilingual,
    description: bilingual,
    aliases: z.array(categoryId).default([]),
    namesServices: z.boolean().default(false),
  }),
)

const rows = catalogueSchema.parse(data)

const catalogue: Catalogue = new Map(
  rows.map(({ id, severity, label, description, namesServices }): [CategoryId, Category] => [
    id,
    Object.freeze({ id, severity, label, description, namesServices }),
  ]),
)

/** Other names of categories, as the symbolic links of UT1 give them: `porn` is `adult`. */
export const categoryAliases: ReadonlyMap<string, CategoryId> = new Map(
  rows.flatMap(({ id, aliases }) => aliases.map((alias): [string, CategoryId] => [alias, id])),
)

/** All categories by id, in the order of the file. */
export function loadCatalogue(): Catalogue {
  return catalogue
}

/** The id that a name written by a person or a folder of a list stands for; undefined when there is none. */
export function findCategory(name: string, known: Catalogue = catalogue): CategoryId | undefined {
  if (known.has(name)) return name
  const id = categoryAliases.get(name)
  return id !== undefined && known.has(id) ? id : undefined
}

/** The id that a folder of a list stands for. One within another is known by both names joined, or by its last one. */
export function findListed(name: string, known: Catalogue): CategoryId | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1)
  const names = [name.replaceAll('/', '_'), name.replaceAll('/', '-'), last]
  return names.map(each => findCategory(each, known)).find(id => id !== undefined)
}
