/** The configuration that the environment holds: `PREAU_PROXY_PORT` for `proxy.port`. It wins over the file. */
import { z } from 'zod'
import { PreauError } from './errors.ts'
import { unknownName } from './schema-faults.ts'

/** Texts that may consist of digits. */
const TEXTS = new Set(['sentinelPassword', 'prefix'])
const PREFIX = 'PREAU_'
/** Names the file itself. */
const FILE = 'PREAU_CONFIG'

export interface EnvironmentKey {
  readonly path: readonly [section: string, key?: string]
  readonly variable: string
}

/** Every key of a schema that holds one text or number. */
export function* environmentKeys(schema: z.ZodObject): Generator<EnvironmentKey> {
  for (const [key, inner] of Object.entries(schema.shape)) {
    const section = sectionOf(inner)
    if (section === undefined) yield { path: [key], variable: variableOf(key) }
    else
      for (const [leaf, value] of Object.entries(section))
        if (isOneValue(value)) yield { path: [key, leaf], variable: variableOf(key, leaf) }
  }
}

/** The keys of a section; undefined where it is a value. */
export function sectionOf(
  schema: z.core.$ZodType,
): Readonly<Record<string, z.ZodType>> | undefined {
  const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema
  return inner instanceof z.ZodObject ? inner.shape : undefined
}

function isOneValue(schema: z.ZodType): boolean {
  const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema
  return !(inner instanceof z.ZodArray || inner instanceof z.ZodRecord)
}

const variableOf = (...path: readonly string[]): string =>
  `${PREFIX}${path.map(part => part.replace(/([A-Z])/g, '_$1').toUpperCase()).join('_')}`

/**
 * The input with what the environment says. Throws PREAU_CONFIG_INVALID for a variable of our prefix that is no key: somebody
 * relies on what would not act.
 */
export function withEnvironment(
  input: unknown,
  env: NodeJS.ProcessEnv,
  schema: z.ZodObject,
): unknown {
  const keys = [...environmentKeys(schema)]
  refuseUnknown(env, keys, schema)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  const result: Record<string, unknown> = { ...input }
  for (const { path, variable } of keys) {
    const text = env[variable]
    if (text === undefined) continue
    const [first, second] = path
    const isNumber = /^\d+$/.test(text) && !TEXTS.has(second ?? first)
    const value = isNumber ? Number(text) : text
    if (second === undefined) result[first] = value
    else result[first] = { ...(result[first] as object | undefined), [second]: value }
  }
  return result
}

function refuseUnknown(
  env: NodeJS.ProcessEnv,
  keys: readonly EnvironmentKey[],
  schema: z.ZodObject,
): void {
  const known = new Set([FILE, ...keys.map(({ variable }) => variable)])
  const odd = Object.keys(env).find(name => name.startsWith(PREFIX) && !known.has(name))
  if (odd === undefined) return
  const inFile = keysOfFile(schema).find(path => variableOf(...path) === odd)
  const detail =
    inFile === undefined
      ? unknownName(odd, [...known], {
          unknown: { fr: 'variable inconnue', en: 'unknown variable' },
          known: {
            fr: 'elles sont dans le tableau du README',
            en: 'the table of the README has them',
          },
        })
      : {
          fr: `${inFile.join('.')} ne se donne que dans le fichier de configuration`,
          en: `${inFile.join('.')} can only be given in the configuration file`,
        }
  throw new PreauError('PREAU_CONFIG_INVALID', {
    file: { fr: 'environnement', en: 'environment' },
    key: odd,
    detail,
  })
}

/** Lists and tables, which one variable cannot hold. */
const keysOfFile = (schema: z.ZodObject): string[][] =>
  Object.entries(schema.shape).flatMap(([key, inner]) =>
    Object.entries(sectionOf(inner) ?? {})
      .filter(([, value]) => !isOneValue(value))
      .map(([leaf]) => [key, leaf]),
  )
