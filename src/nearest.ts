/** The name that was probably meant: of a key, a command or an option that is not known. */
import { closest, distance } from 'fastest-levenshtein'

const MAX_LENGTH = 100
const MAX_DIFFERENCES = 3

/** undefined where none is near enough to be meant: half of its letters may differ, and three at most. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > MAX_LENGTH) return undefined
  const lower = name.toLowerCase()
  const found = closest(
    lower,
    known.map(word => word.toLowerCase()),
  )
  const most = Math.min(Math.floor(found.length / 2), MAX_DIFFERENCES)
  if (distance(lower, found) > most) return undefined
  return known.find(word => word.toLowerCase() === found)
}
