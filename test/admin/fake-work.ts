/** What the admin app is given beside the store: work on the lists that a test moves by hand, and a snapshot. */
import type { AdminDeps, ListWork, WorkState } from '../../src/admin/deps.ts'
import { createAddressJudge } from '../../src/policy/address.ts'
import type { Catalogue, CategoryId } from '../../src/policy/category.ts'
import type { PolicyDocument } from '../../src/policy/policy-document.ts'
import { buildSnapshot } from '../../src/policy/snapshot.ts'

/** Work on the lists that a test moves by hand. */
export interface FakeWork extends ListWork {
  /** What was asked for: `[name, by]`. */
  readonly asked: readonly (readonly [name: string, by: string])[]
  show(state: WorkState | undefined): void
}

export function createWork(): FakeWork {
  const listeners = new Set<() => void>()
  const asked: [string, string][] = []
  let current: WorkState | undefined
  return {
    asked,
    get current() {
      return current
    },
    fetch(name, by) {
      if (current === undefined) asked.push([name, by])
      return current === undefined
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    show(state) {
      current = state
      for (const listener of listeners) listener()
    },
  }
}

const NO_LISTS = {
  version: { id: '', builtAt: 0, lists: [], index: '', hosts: 0, starterDigest: '' },
  index: { tagsOf: () => [] },
  expressions: [],
}

/** A snapshot of a policy, in which only the hosts of `listed` are of a category. */
export function aCurrent(
  policy: PolicyDocument,
  catalogue: Catalogue,
  listed: Readonly<Record<string, readonly CategoryId[]>> = {},
): AdminDeps['current'] {
  const snapshot = buildSnapshot({
    policy,
    grants: [],
    catalogue,
    categories: host => listed[host] ?? [],
    addresses: createAddressJudge([]),
  })
  return { snapshot, lists: NO_LISTS, onSwap: () => () => undefined }
}
