/** What changes from one policy to another, for whoever imports one. */

/** One value that differs: `before` or `after` is undefined where it was added or removed. */
export interface Difference {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** What changes from one policy to another, by path; list items are matched by their key (id, UAI, name, host). */
export function diffPolicies(before: unknown, after: unknown, path = ''): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const left = entriesOf(before)
  const right = entriesOf(after)
  if (!left || !right) return [{ path, before, after }]
  const keys = new Set([...left.keys(), ...right.keys()])
  return [...keys].flatMap(key =>
    diffPolicies(left.get(key), right.get(key), path === '' ? key : `${path}.${key}`),
  )
}

function entriesOf(value: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(value)) return keyed(value)
  if (typeof value === 'object' && value !== null) return new Map(Object.entries(value))
  return undefined
}

/** Items by their key; a second one of the same key (two rules for a host) is told apart by its number. */
function keyed(items: readonly unknown[]): Map<string, unknown> {
  const entries = new Map<string, unknown>()
  const counts = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const key = keyOf(item) ?? String(index)
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    entries.set(count === 1 ? key : `${key} (${count})`, item)
  }
  return entries
}

function keyOf(item: unknown): string | undefined {
  if (typeof item === 'string') return item
  if (typeof item !== 'object' || item === null) return undefined
  const { id: itemId, uai, name, host: itemHost, site, category } = item as Record<string, unknown>
  const key = itemId ?? uai ?? name ?? itemHost
  return typeof key === 'string'
    ? [key, category, site].filter(part => typeof part === 'string').join('@')
    : undefined
}
