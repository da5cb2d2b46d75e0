/** Compiled code is kept in the data folder, so that a start after the first, and after a crash, is quick. */
import t from 'tap'
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProduct } from '../support/product.ts'
import { eventually } from '../support/proxy-world.ts'

t.test('what a first start has compiled, a second one takes as it is', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const names = (): string[] => globSync(join(dir, 'data/cache/*/*'))
  // The tests have a cache of their own, which would come before the product's.
  const options = { dir, env: { NODE_COMPILE_CACHE: undefined } }
  const first = await startProduct(t, options)
  // Kept from the moment it is ready: who dies later need not compile anew.
  await eventually(() => names().length > 100)
  t.ok(names().length > 100, 'the code of a worker and of the admin app is there')
  await first.stop()
  const before = names().map(file => [file, statSync(file).mtimeMs] as const)
  const second = await startProduct(t, options)
  await second.stop()
  const anew = before.filter(([file, at]) => statSync(file).mtimeMs !== at)
  t.strictSame(anew, [], 'none of it had to be compiled anew')
})
