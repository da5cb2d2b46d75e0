/** Somebody gets to know of an index that does not come, also where the store was away just when it should have been told. */
import t from 'tap'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { listsFolder } from '../../src/categories/lists.ts'
import { PreauError } from '../../src/errors.ts'
import type { ListsDocument } from '../../src/policy/lists.ts'
import { FileAlarms } from '../../src/shared-lists/file-alarms.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { over } from '../portal/broken-store.ts'
import { until } from './machines.ts'

t.test('an alarm that could not be written is written as soon as it can be', async t => {
  const dataDir = t.testdir()
  mkdirSync(listsFolder(dataDir), { recursive: true })
  const real = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => real.close())
  let refused = 0
  const store = over(real, {
    async commit(note, changes) {
      if (refused++ < 2) throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'away' })
      await real.commit(note, changes)
    },
  })
  const warned: unknown[] = []
  const logger = { warn: (...args: unknown[]) => void warned.push(args) }
  const options = { store, dataDir, machine: 'm', clock: () => 1, logger, lateMs: 20 }
  const alarms = new FileAlarms(options)
  t.teardown(() => alarms.close())
  alarms.expect({ lists: { index: 'missing.idx' } as ListsDocument, candidate: undefined })
  await until(async () => (await real.list('alarm')).length > 0)
  t.match(await real.list('alarm'), [{ body: { kind: 'lists-late', subject: 'missing.idx' } }])
  t.equal(warned.length, 1, 'the log says so once')
})
