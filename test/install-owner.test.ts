import t, { type Test } from 'tap'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import type { PreauError } from '../src/errors.ts'
import { refuseForeignFolder } from '../src/install-owner.ts'
import { runCli } from './support/product.ts'

const ROOT = 0
const NOBODY = 65_534

/** Of whoever runs the tests; of nobody where that is root. */
const foreignFolder = (t: Test): string => {
  const dir = t.testdir({ lists: {} })
  if (process.geteuid?.() === ROOT) chownSync(join(dir, 'lists'), NOBODY, NOBODY)
  return dir
}

t.test('root is told whose data folder it is, and as whom to run', async t => {
  const refused = refuseForeignFolder(foreignFolder(t), ROOT)
  const error = await refused.catch((error: unknown) => error)
  t.match(error, { code: 'PREAU_FOREIGN_FOLDER', status: 403 })
  t.match((error as PreauError).text('fr'), /runuser -u "\$\(id -nu \d+\)" --/)
})

t.test('a new folder is nobody’s yet, and a user writes where the system lets it', async t => {
  await t.resolves(refuseForeignFolder(join(t.testdir(), 'absent'), ROOT))
  await t.resolves(refuseForeignFolder(foreignFolder(t), 1_000))
})

t.test(
  'a list that root imports beside a service is refused, before anything is written',
  { skip: process.geteuid?.() === ROOT ? false : 'only root is refused' },
  async t => {
    const dir = t.testdir({ 'config.json': '{}', 'ours.txt': 'interdit.test\n' })
    const config = join(dir, 'config.json')
    const importOurs = () =>
      runCli(config, ['lists', 'import', join(dir, 'ours.txt'), '--category', 'games'])
    t.equal((await importOurs()).code, 0)
    chownSync(join(dir, 'data', 'lists'), NOBODY, NOBODY)
    const { code, stderr } = await importOurs()
    t.equal(code, 2)
    t.match(stderr, /lists appartient à un autre utilisateur/)
  },
)
