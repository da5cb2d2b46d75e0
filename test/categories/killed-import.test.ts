import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { putInForce } from '../../src/policy/lists.ts'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import {
  buildStarter,
  dropUnreferenced,
  importList,
  indexFile,
} from '../../src/categories/lists.ts'
import type { Host } from '../../src/policy/host.ts'
import { ut1Entries, writeArchive } from './fixtures/archive.ts'

const catalogue = loadCatalogue()
const script = fileURLToPath(new URL('./fixtures/import-process.ts', import.meta.url))
const names = (count: number): string =>
  Array.from({ length: count }, (_, i) => `h${i}.killed.example\n`).join('')

// While the archive is read, and while it is indexed.
for (const steps of [1, 4]) {
  t.test(
    `an import killed at step ${steps} changes nothing, and the next one tidies up`,
    async t => {
      const dataDir = t.testdir()
      const path = await writeArchive(
        join(dataDir, 'big.tar.gz'),
        ut1Entries({ games: names(50_000), ai: names(100_000) }),
      )
      const before = Date.UTC(2026, 7, 16)
      const document = await buildStarter({ dataDir, current: undefined, catalogue, now: before })
      const child = spawn(process.execPath, [script, path, dataDir], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let seen = 0
      child.stderr.on('data', (chunk: Buffer) => {
        seen += chunk.length
        if (seen >= steps) child.kill('SIGKILL')
      })
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
      t.equal(signal, 'SIGKILL')
      const { lookup } = await openCategoryIndex(indexFile(dataDir, document), { cacheEntries: 0 })
      t.same(lookup('roblox.com' as Host), ['games'])
      const next = Date.UTC(2026, 7, 18)
      const again = await importList({ dataDir, current: document, path, catalogue, now: next })
      const old = putInForce(undefined, document, 'cli', before)
      await dropUnreferenced(dataDir, { lists: putInForce(old, again.version, 'cli', next) })
      const folder = readdirSync(join(dataDir, 'lists'))
      const index = again.version.index
      t.ok(folder.includes(index) && folder.includes(again.version.lists[1]?.folder ?? ''))
      t.notOk(folder.some(name => name.startsWith('reading-') || name.endsWith('.partial')))
      t.equal(folder.length, 3, 'the new list, its index, and the index before')
    },
  )
}
