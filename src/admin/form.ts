/** Reads the fields of a form: what is missing, too long or not among the choices is refused by name. */
import { PreauError } from '../errors.ts'
import { UNPRINTABLE } from '../policy/unprintable.ts'

const MAX_OPTIONAL = 2_000

/** The text of a field, as it was sent. Throws PREAU_INVALID_INPUT; PREAU_TOO_LARGE past `max` characters. */
function rawField(body: unknown, name: string, max: number): string {
  const isForm = typeof body === 'object' && body !== null
  const value: unknown = isForm ? Reflect.get(body, name) : undefined
  if (typeof value !== 'string') {
    throw new PreauError('PREAU_INVALID_INPUT', { field: name, detail: '?' })
  }
  if (value.length > max) throw new PreauError('PREAU_TOO_LARGE')
  return value
}

/** A line of text without what cannot be printed. */
export function textField(body: unknown, name: string, max: number): string {
  return rawField(body, name, max).replace(UNPRINTABLE, ' ').trim()
}

export function choiceField<T extends string>(
  body: unknown,
  name: string,
  choices: readonly T[],
): T {
  const value = rawField(body, name, 64)
  const found = choices.find(choice => choice === value)
  if (found !== undefined) return found
  throw new PreauError('PREAU_INVALID_INPUT', { field: name, detail: choices.join(', ') })
}

/** A line of text that the form may leave out; undefined when absent, empty or longer than any of ours. */
export function optionalText(body: unknown, name: string): string | undefined {
  return queryText(body, name, MAX_OPTIONAL)?.replace(UNPRINTABLE, ' ').trim()
}

/** The optional text of a query, e.g. `?before=`; undefined when absent, repeated or too long. */
export function queryText(query: unknown, name: string, max = 200): string | undefined {
  const value: unknown =
    typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined
  return typeof value === 'string' && value !== '' && value.length <= max ? value : undefined
}
