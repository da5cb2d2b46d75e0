/** A real store that is broken on purpose. */
import type { Store } from '../../src/store/store.ts'

/** The store with some of its functions replaced, to break it. */
export function over(store: Store, changed: Partial<Store>): Store {
  return {
    get: store.get.bind(store),
    list: store.list.bind(store),
    count: store.count.bind(store),
    revision: store.revision.bind(store),
    changes: store.changes.bind(store),
    commit: store.commit.bind(store),
    confirmed: store.confirmed.bind(store),
    tail: store.tail.bind(store),
    forget: store.forget.bind(store),
    watch: store.watch.bind(store),
    close: store.close.bind(store),
    check: store.check.bind(store),
    permits: store.permits,
    ...(store.files === undefined ? {} : { files: store.files }),
    ...changed,
  }
}
