/**
 * Which click it was. A second click is the same click: it does nothing of its own, and what has only just come under the
 * pointer is not what it meant.
 */
import { PreauError } from '../errors.ts'

/** People do not read what appears, decide and click in less. The scripts of the pages hold themselves to the same time. */
export const SETTLE_MS = 500
const MAX_FIELD = 20

/** The number in an optional field of a form. Throws PREAU_INVALID_INPUT where something else is there. */
export function optionalNumber(body: unknown, name: string): number | undefined {
  const value: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.length <= MAX_FIELD && /^\d+$/.test(value))
    return Number(value)
  throw new PreauError('PREAU_INVALID_INPUT', { field: name, detail: '0–9' })
}

/**
 * Whether the form was shown (`shown`, epoch ms) so shortly ago that its click was on its way already. A page says it
 * where something else has just stood in its place: after an act without script it is loaded anew, and the rows move.
 */
export function isSameClick(body: unknown, now: number): boolean {
  const shown = optionalNumber(body, 'shown')
  return shown !== undefined && now >= shown && now - shown < SETTLE_MS
}
