/** The counters in memory keep what the real ones promise: a test on them proves something. */
import { join } from 'node:path'
import t from 'tap'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { permitContract } from '../contract/permits.ts'
import { over } from '../portal/broken-store.ts'
import { memoryPermits } from './memory-permits.ts'

permitContract((title, run) =>
  t.test(title, async t => {
    const permits = memoryPermits(Date.now)
    const open = async () => {
      const store = await openSqliteStore(join(t.testdirName, 'preau.db'))
      t.teardown(() => store.close())
      return over(store, { permits })
    }
    t.testdir()
    await run(t, await open(), open)
  }),
)
