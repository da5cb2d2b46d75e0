/** What decides is read once, and then only what has changed; it comes to the same as reading all. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import type { Change } from '../../src/policy/document.ts'
import { StateReader } from '../../src/snapshot/state-reader.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { followedContract } from '../contract/followed.ts'
import { note } from '../contract/store.ts'
import { over } from '../portal/broken-store.ts'

t.test('what is told of random commits is what the store holds', async t => {
  const folder = t.testdir()
  let places = 0
  await followedContract(t, 25, async () => {
    const file = join(folder, `p${++places}.db`)
    const store = await openSqliteStore(file)
    return {
      store,
      async commitAsBefore(id, body) {
        await store.commit(note(), [{ kind: 'grant', id, body } as Change])
        const db = new DatabaseSync(file)
        db.exec('UPDATE audit SET changed = NULL WHERE seq = (SELECT max(seq) FROM audit)')
        db.close()
      },
      close: () => store.close(),
    }
  })
})

t.test('after more commits than are told one by one all is read', async t => {
  const store = await openSqliteStore(join(t.testdir(), 'preau.db'))
  t.teardown(() => store.close())
  const commit = (...changes: object[]) => store.commit(note(), changes as Change[])
  await commit(
    { kind: 'policy', id: 'current', body: {} },
    { kind: 'lists', id: 'current', body: {} },
  )
  let lists = 0
  const counting = over(store, {
    list: (...args) => {
      lists++
      return store.list(...args)
    },
  })
  const reader = new StateReader(counting, () => 0)
  await reader.read()
  const grant = (id: string) => ({
    kind: 'grant',
    id,
    body: { id, host: 'a.example', until: null },
  })
  for (let i = 0; i < 499; i++) await commit()
  await commit(grant('g1'))
  t.match(await reader.read(), { isAllRead: false, state: { grants: [{ id: 'g1' }] } })
  t.equal(lists, 1)
  for (let i = 0; i < 500; i++) await commit()
  t.match(await reader.read(), { isAllRead: false }, 'clicks alone are no reason')
  await commit(grant('g2'))
  t.match(await reader.read(), { isAllRead: true, state: { grants: [{ id: 'g2' }, { id: 'g1' }] } })
  await commit(...Array.from({ length: 1_001 }, (_, i) => grant(`h${i}`)))
  const { state, isAllRead } = await reader.read()
  t.equal(isAllRead, true, 'nor so many at once')
  t.equal(state.grants.length, 1_003)
})
