/** Rows in bundles, each bounded by number and size. */
import { BUNDLE_CHARACTERS, BUNDLE_ROWS } from './transfer.ts'

export function* bundlesOf<T>(
  rows: Iterable<T>,
  charactersOf: (row: T) => number,
): Generator<readonly T[]> {
  let bundle: T[] = []
  let characters = 0
  for (const row of rows) {
    bundle.push(row)
    characters += charactersOf(row)
    if (bundle.length < BUNDLE_ROWS && characters < BUNDLE_CHARACTERS) continue
    yield bundle
    bundle = []
    characters = 0
  }
  if (bundle.length > 0) yield bundle
}
