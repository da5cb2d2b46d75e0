/** The real lists of UT1, through the running product: the block page names the right category in French. */
import t from 'tap'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { parseHost } from '../../src/policy/host.ts'
import { runProgram, startProduct } from '../support/product.ts'

const ARCHIVE = '../shared/data/ut1-2026-08-17.tar.gz'
const skip = existsSync(ARCHIVE) ? false : 'the UT1 snapshot is not beside the project'
const CATEGORIES = [
  'games',
  'gambling',
  'dating',
  'vpn',
  'bitcoin',
  'hacking',
  'warez',
  'drogue',
  'social_networks',
  'doh',
  'cryptojacking',
  'redirector',
]

t.test(
  'after one command the hosts of UT1 are blocked under their French names',
  { skip },
  async t => {
    const product = await startProduct(t)
    const startedAt = performance.now()
    const imported = await product.cli('lists', 'import', ARCHIVE)
    t.equal(imported.code, 0, imported.stderr)
    t.comment(
      `measured: import of the UT1 snapshot ${((performance.now() - startedAt) / 1_000).toFixed(1)} s, command and all`,
    )
    t.match(imported.stdout, /637.932 domaines/u)

    const catalogue = loadCatalogue()
    const indexes = globSync(join(product.dataDir, 'lists/index-*.bin')).toSorted()
    const { lookup } = await openCategoryIndex(indexes.at(-1) ?? '', { cacheEntries: 0 })
    const blocked = DEFAULT_POLICY.profiles.find(({ id }) => id === 'pupils')?.blocked ?? []
    for (const category of CATEGORIES) {
      const [file = ''] = globSync(join(product.dataDir, `lists/ut1-*/${category}.txt`))
      const lines = readFileSync(file, 'utf8').split('\n')
      // Drawn from the middle; one whose page can only name this category.
      const host = lines.slice(Math.floor(lines.length / 2)).find(line => {
        const parsed = parseHost(line)
        return (
          parsed !== undefined &&
          !/^[\d.]+$/.test(line) &&
          lookup(parsed)
            .filter(id => blocked.includes(id))
            .every(id => id === category)
        )
      })
      const label = catalogue.get(category)?.label.fr ?? ''
      const asked = host ?? lines[0] ?? ''
      const ask = () =>
        runProgram('curl', [
          '-sS',
          '-x',
          product.proxyUrl,
          '-w',
          '\n%{http_code}',
          `http://${asked}/`,
        ])
      let page = await ask()
      // The command is done once the new version is on disk; the running filter follows within the second.
      for (let i = 0; i < 50 && !page.stdout.endsWith('\n403'); i++) {
        await new Promise(resolve => setTimeout(resolve, 100))
        page = await ask()
      }
      t.ok(page.stdout.endsWith('\n403'), `${category}: ${asked} is refused`)
      if (host !== undefined)
        t.ok(
          page.stdout.includes(label),
          `${category}: « ${label} » stands on the page of ${asked}`,
        )
    }
  },
)
