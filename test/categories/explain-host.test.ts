import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { explainHost, importList, indexFile, type ListMatch } from '../../src/categories/lists.ts'
import { parseHumanHost, type Host } from '../../src/policy/host.ts'
import type { ListsVersion } from '../../src/policy/lists.ts'
import { ut1Entries, writeArchive, type Entry } from './fixtures/archive.ts'

const catalogue = loadCatalogue()
const T0 = Date.UTC(2026, 7, 17)
const MINUTE = 60_000
const SOURCE = 'https://lists.example/blacklists.tar.gz'

interface World {
  readonly bring: (minutes: number, entries: readonly Entry[]) => Promise<ListsVersion>
  readonly explain: (name: string, path?: string) => Promise<ListMatch[]>
  readonly dataDir: string
}

function world(t: Test): World {
  const folder = t.testdir()
  const dataDir = join(folder, 'data')
  let version: ListsVersion | undefined
  return {
    dataDir,
    bring: async (minutes, entries) => {
      const path = await writeArchive(join(folder, 'any.tar.gz'), entries)
      const now = T0 + minutes * MINUTE
      const request = { dataDir, current: version, catalogue, now, path, source: SOURCE }
      return (version = (await importList({ ...request, name: 'ut1' })).version)
    },
    explain: async (name, path) => {
      if (version === undefined) throw new TypeError('nothing imported')
      const host = parseHumanHost(name) as Host
      return explainHost({ dataDir, version, host, ...(path === undefined ? {} : { path }) })
    },
  }
}

t.test('a host is explained with file, line, text, source and dates', async t => {
  const { bring, explain } = world(t)
  await bring(0, ut1Entries({ games: 'a.example\nb.example\n' }))
  await bring(9, ut1Entries({ games: '# new\nb.example\nwww.c.example\n', ai: 'b.example\n' }))
  const known = { list: 'ut1', kind: 'domains', source: SOURCE, importedAt: T0 + 9 * MINUTE }
  t.match(await explain('www.b.example'), [
    { ...known, category: 'games', line: 2, text: 'b.example', domain: 'b.example', since: T0 },
    { ...known, category: 'ai', line: 1, since: T0 + 9 * MINUTE },
  ])
  t.match(
    await explain('x.www.c.example'),
    [{ ...known, category: 'games', line: 3, domain: 'www.c.example', since: T0 + 9 * MINUTE }],
    'the entry came later than its list',
  )
  t.match((await explain('b.example'))[0]?.file, /games\.txt$/)
  t.same(await explain('a.example'), [], 'gone')
})

t.test('every spelling of a host is found, and each level of it', async t => {
  const { bring, explain } = world(t)
  const text = [
    'Capitals.Example',
    'élève.example',
    '||adblock.example^',
    '0.0.0.0 sink.example other.example',
    '*.star.example',
    'dot.example.',
    '203.0.113.9',
    '2001:DB8::1',
    'deep.a.example',
    'a.example',
    'not-a.example',
  ]
  await bring(0, ut1Entries({ games: text.join('\r\n') }))
  const expected: Record<string, number[]> = {
    'www.capitals.example': [1],
    'élève.example': [2],
    'xn--lve-6lad.example': [2],
    'www.adblock.example': [3],
    'other.example': [4],
    'x.star.example': [5],
    'dot.example': [6],
    '203.0.113.9': [7],
    '2001:db8::1': [8],
    'x.deep.a.example': [9, 10],
    'b.a.example': [10],
    example: [],
    'evil-a.example': [],
    '3.113.9': [],
  }
  for (const [name, lines] of Object.entries(expected)) {
    const matches = parseHumanHost(name) === undefined ? [] : await explain(name)
    t.same(
      matches.map(({ line }) => line),
      lines,
      name,
    )
  }
})

t.test('pages and expressions that match a path are told with their lines', async t => {
  const { bring, explain } = world(t)
  await bring(0, [
    ...ut1Entries({ ai: 'other.example\n' }),
    { name: 'blacklists/games/urls', content: 'x.example/other\nX.example/play\n' },
    { name: 'blacklists/games/expressions', content: '# none\n/casino/[0-9]+$\n' },
  ])
  t.match(await explain('www.x.example', '/play/now?a=1'), [
    { kind: 'urls', category: 'games', line: 2, text: 'X.example/play', since: T0 },
  ])
  t.match(await explain('elsewhere.example', '/casino/12'), [
    { kind: 'expressions', category: 'games', line: 2, text: '/casino/[0-9]+$' },
  ])
  t.same(await explain('x.example', '/playground'), [])
  t.same(await explain('x.example'), [], 'where the path is hidden, nothing says that it is a page')
})

t.test(
  'an index that is open already is asked, and only the files that it names are read',
  async t => {
    const { bring, dataDir } = world(t)
    const version = await bring(0, ut1Entries({ games: 'a.example\n', ai: 'b.example\n' }))
    const index = await openCategoryIndex(indexFile(dataDir, version), { cacheEntries: 0 })
    const folder = version.lists.find(({ name }) => name === 'ut1')?.folder ?? ''
    // What stands in a file that the index does not name for this host is not looked at.
    writeFileSync(join(dataDir, 'lists', folder, 'ai.txt'), 'a.example\n')
    writeFileSync(indexFile(dataDir, version), 'not opened again')
    const host = 'a.example' as Host
    const matches = await explainHost({ dataDir, version, index, host })
    t.same(
      matches.map(({ category }) => category),
      ['games'],
    )
  },
)

t.test('a host that stands there ten thousand times is told a hundred times', async t => {
  const { bring, explain } = world(t)
  await bring(0, ut1Entries({ games: 'a.example\n'.repeat(10_000) }))
  t.equal((await explain('a.example')).length, 100)
})
