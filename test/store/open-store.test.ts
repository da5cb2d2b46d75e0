import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'

t.test('the embedded store makes its folder, for its owner only', async t => {
  const dataDir = join(t.testdir(), 'deep', 'data')
  const store = await openStore({ store: 'sqlite', dataDir }, { check: true })
  await store.close()
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.ok(existsSync(join(dataDir, 'preau.db')))
})

t.test('a folder that cannot be made is refused, naming the file', async t => {
  const dataDir = join(t.testdir({ file: '' }), 'file', 'data')
  await t.rejects(openStore({ store: 'sqlite', dataDir }), {
    code: 'PREAU_STORE_UNREADABLE',
    params: { file: join(dataDir, 'preau.db') },
  })
})

t.test('what is no address of a store is refused, without telling its password', async t => {
  const store = 'mysql://preau:sec:r@t@cache.example:6379/0'
  await t.rejects(openStore({ store, dataDir: t.testdir() }), {
    code: 'PREAU_STORE_UNSUPPORTED',
    params: { url: 'mysql://cache.example:6379/0' },
  })
})
