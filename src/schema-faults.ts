/**
 * What a schema finds wrong, as people read it: the place, what stands there, and what is allowed, in both languages. The
 * messages of zod have one language for the whole process, and name types where a person looks for words.
 */
import { z } from 'zod'
import type { Words } from './errors.ts'
import { nearest } from './nearest.ts'

/** The message of a schema is one string: both languages stand in it, with a character between them that no text has. */
const BETWEEN = '\u001f'
const MAX_LISTED = 12
const MAX_SHOWN = 60

/** For the `error` of a schema. */
export const inBoth = (fr: string, en: string): string => `${fr}${BETWEEN}${en}`

export interface SchemaFault {
  /** The keys that lead there, such as `proxy.port`; `(document)` for the whole. */
  readonly path: string
  readonly detail: Words
}

/** The first fault of an input. */
export function faultOf(error: z.ZodError, schema: z.ZodType, input: unknown): SchemaFault {
  const issue = error.issues[0]
  if (issue === undefined) return { path: '(document)', detail: { fr: 'invalide', en: 'invalid' } }
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...issue.path, ...unknown].map(String).join('.') || '(document)'
  return { path: `${path}${namesOn(issue.path, input)}`, detail: wordsOf(issue, schema, input) }
}

function wordsOf(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): Words {
  const [fr = '', en] = issue.message.split(BETWEEN)
  // A schema says of a value that it may hold a password.
  const isSecret = issue.code === 'custom' && issue.params?.['isSecret'] === true
  const found = isSecret ? undefined : valueAt(issue.path, input)
  if (en !== undefined)
    return { fr: `${fr}${foundInstead(found, 'fr')}`, en: `${en}${foundInstead(found, 'en')}` }
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownName(issue.keys[0] ?? '', keysAt(schema, issue.path), KEY)
    case 'invalid_value':
      if (typeof found === 'string') return unknownName(found, issue.values.map(String), VALUE)
      return expected({ fr: issue.values.join(', '), en: issue.values.join(', ') }, found)
    case 'invalid_type':
      return expected(TYPES[issue.expected] ?? { fr: issue.expected, en: issue.expected }, found)
    case 'too_small':
      return bound(issue.minimum, issue.origin, { fr: 'au moins', en: 'at least' }, found)
    case 'too_big':
      return bound(issue.maximum, issue.origin, { fr: 'au plus', en: 'at most' }, found)
    default:
      return { fr: messageOf(z.locales.fr(), issue), en: messageOf(z.locales.en(), issue) }
  }
}

const TYPES: Readonly<Record<string, Words>> = {
  string: { fr: 'un texte', en: 'a text' },
  number: { fr: 'un nombre', en: 'a number' },
  int: { fr: 'un nombre entier', en: 'a whole number' },
  boolean: { fr: 'true ou false', en: 'true or false' },
  array: { fr: 'une liste […]', en: 'a list […]' },
  object: { fr: 'un objet {…}', en: 'an object {…}' },
  record: { fr: 'un objet {…}', en: 'an object {…}' },
}

const expected = ({ fr, en }: Words, found: unknown): Words =>
  found === undefined
    ? { fr: `manque : ${fr}`, en: `is missing: ${en}` }
    : {
        fr: `attendu : ${fr}${foundInstead(found, 'fr')}`,
        en: `expected: ${en}${foundInstead(found, 'en')}`,
      }

const UNITS: Readonly<Record<string, Words>> = {
  string: { fr: ' caractères', en: ' characters' },
  array: { fr: ' éléments', en: ' items' },
}

function bound(limit: number | bigint, origin: string, { fr, en }: Words, found: unknown): Words {
  const unit = UNITS[origin] ?? { fr: '', en: '' }
  return {
    fr: `${fr} ${limit}${unit.fr}${foundInstead(found, 'fr')}`,
    en: `${en} ${limit}${unit.en}${foundInstead(found, 'en')}`,
  }
}

/** What stands there, where it is short enough to be recognised and cannot hold a password. */
function foundInstead(found: unknown, locale: 'fr' | 'en'): string {
  if (found === undefined || (typeof found === 'string' && /@|:\//.test(found))) return ''
  const shown = JSON.stringify(found)
  if (shown.length > MAX_SHOWN) return ''
  return locale === 'fr' ? `, et non ${shown}` : `, not ${shown}`
}

interface Naming {
  readonly unknown: Words
  readonly known: Words
}
const KEY: Naming = {
  unknown: { fr: 'clé inconnue', en: 'unknown key' },
  known: { fr: 'clés admises', en: 'allowed' },
}
const VALUE: Naming = {
  unknown: { fr: 'valeur inconnue', en: 'unknown value' },
  known: { fr: 'valeurs admises', en: 'allowed' },
}

/** A name that is not known: the nearest one, and the others where they can be read at a glance. */
export function unknownName(name: string, known: readonly string[], naming = VALUE): Words {
  const meant = nearest(name, known)
  const isListed = known.length > 0 && (known.length <= MAX_LISTED || meant === undefined)
  const say = (locale: 'fr' | 'en', space: string, question: string): string => {
    const list = `${naming.known[locale]}${space}: ${known.join(', ')}`
    const instead = meant === undefined ? (isListed ? `${space}; ${list}` : '') : question
    const others = meant !== undefined && isListed ? ` (${list})` : ''
    return `${naming.unknown[locale]} ${JSON.stringify(name)}${instead}${others}`
  }
  return {
    fr: say('fr', '\u202f', `\u202f; vouliez-vous dire «\u202f${meant}\u202f»\u202f?`),
    en: say('en', '', `; did you mean "${meant}"?`),
  }
}

function messageOf(
  { localeError }: { localeError: z.core.$ZodErrorMap },
  issue: z.core.$ZodIssue,
): string {
  const message = localeError(issue as z.core.$ZodRawIssue)
  return typeof message === 'string' ? message : (message?.message ?? issue.message)
}

function valueAt(path: readonly PropertyKey[], input: unknown): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined,
    input,
  )
}

/** Whoever reads `sites.3.rooms.12` would have to count: the names that stand on the way. */
function namesOn(path: readonly PropertyKey[], input: unknown): string {
  const names = path.flatMap((key, depth) => {
    if (typeof key !== 'number') return []
    const item = valueAt(path.slice(0, depth + 1), input)
    if (typeof item !== 'object' || item === null) return []
    const { name, id, host } = item as Readonly<Record<string, unknown>>
    const found = [name, id, host].find(value => typeof value === 'string')
    return found === undefined ? [] : [found]
  })
  return names.length === 0 ? '' : ` (${names.join(', ')})`
}

/** The keys that an object may have at a place. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrapped(schema)
  const [key, ...rest] = path
  if (inner instanceof z.ZodObject) {
    if (key === undefined) return Object.keys(inner.shape)
    const next: unknown = Reflect.get(inner.shape, key)
    return next instanceof z.ZodType ? keysAt(next, rest) : []
  }
  return inner instanceof z.ZodArray && key !== undefined ? keysAt(inner.element, rest) : []
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const wrappers = [z.ZodDefault, z.ZodPrefault, z.ZodNullable, z.ZodOptional]
  const wrapper = wrappers.find(kind => schema instanceof kind)
  return wrapper === undefined ? schema : unwrapped((schema as z.ZodOptional).unwrap())
}
