import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import {
  buildStarter,
  dropUnreferenced,
  explainHost,
  importList,
  indexFile,
  removeList,
  starterDigest,
} from '../../src/categories/lists.ts'
import { parseHumanHost, type Host } from '../../src/policy/host.ts'
import { putInForce, type ListsDocument, type ListsVersion } from '../../src/policy/lists.ts'
import { ut1Entries, writeArchive } from './fixtures/archive.ts'

const catalogue = loadCatalogue()
const T0 = Date.UTC(2026, 7, 17)
const host = (text: string): Host => parseHumanHost(text) as Host

interface World {
  readonly dataDir: string
  readonly folder: string
  readonly at: (
    current: ListsVersion | undefined,
    minutes?: number,
  ) => Parameters<typeof buildStarter>[0]
}

function world(t: Test): World {
  const folder = t.testdir()
  const dataDir = join(folder, 'data')
  return {
    folder,
    dataDir,
    at: (current, minutes = 0) => ({ dataDir, current, catalogue, now: T0 + minutes * 60_000 }),
  }
}

async function categoriesOf(
  dataDir: string,
  document: ListsVersion,
  name: string,
): Promise<readonly string[]> {
  const { lookup } = await openCategoryIndex(indexFile(dataDir, document), { cacheEntries: 10 })
  return lookup(host(name))
}

function plainFile({ folder }: World, content: string | Uint8Array, name = 'my.list.txt'): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

t.test('the first start knows the starter lists', async t => {
  const { dataDir, at } = world(t)
  const document = await buildStarter(at(undefined))
  t.equal(document.starterDigest, await starterDigest())
  t.match(document.lists, [{ name: 'preau', folder: null, importedAt: T0, refusedLines: 0 }])
  t.ok(Object.values(document.lists[0]?.counts ?? {}).every(count => count > 0))
  t.same(await categoriesOf(dataDir, document, 'www.roblox.com'), ['games'])
  t.same(await categoriesOf(dataDir, document, 'nowhere.example'), [])
})

t.test('a UT1 archive is imported; links are aliases, and what is not read is counted', async t => {
  const w = world(t)
  const archive = await writeArchive(join(w.folder, 'any.tar.gz'), [
    { name: 'blacklists/', type: 'directory' },
    { name: 'blacklists/ads', type: 'symlink', linkname: 'publicite' },
    ...ut1Entries({
      games:
        '\uFEFFPlay.example\r\n.dotted.example\n*.star.example\n\n# comment\nplay.example\ncom\n*\nélève.example\n',
      publicite: 'ads.example\nplay.example',
      unheard_of: 'a.example\nb.example\n',
    }),
    { name: 'blacklists/games/urls', content: 'x.example/y\n' },
    { name: 'blacklists/games/expressions', content: '(sex)\n' },
    { name: 'blacklists/games/usage', content: 'black\n' },
    { name: 'blacklists/README', content: 'hello' },
  ])
  const seen: number[] = []
  const before = await buildStarter(w.at(undefined))
  const { version: document, report } = await importList({
    ...w.at(before, 1),
    path: archive,
    onProgress: bytes => seen.push(bytes),
  })
  t.match(report, {
    name: 'ut1',
    kind: 'archive',
    domains: 6,
    duplicates: 1,
    refusedLines: 2,
    counts: { games: 4, publicite: 2 },
    unknown: { unheard_of: 2 },
    unknownCategories: ['unheard_of'],
    aliases: { ads: 'publicite' },
    pages: 1,
    expressions: 1,
    usages: { games: { types: ['black'] } },
    ignored: { very_restrictive_expression: 0, other: 1 },
    lost: [],
    example: 'play.example',
  })
  t.match(report.refusedSamples, [
    { line: 7, text: 'com' },
    { line: 8, text: '*' },
  ])
  t.ok(report.elapsedMs > 0 && report.indexBytes > 0 && seen.length > 0)
  t.match(document.lists, [
    { name: 'preau' },
    { name: 'ut1', source: archive, importedAt: T0 + 60_000, refusedLines: 2 },
  ])
  const expected: Record<string, string[]> = {
    'www.play.example': ['games', 'publicite'],
    'dotted.example': ['games'],
    'x.star.example': ['games'],
    'élève.example': ['games'],
    'ads.example': ['publicite'],
    'a.example': [],
    'www.roblox.com': ['games'],
    'other.com': [],
  }
  for (const [name, ids] of Object.entries(expected))
    t.same(await categoriesOf(w.dataDir, document, name), ids, name)
  t.same(await categoriesOf(w.dataDir, before, 'play.example'), [], 'the index before is as it was')
})

t.test(
  'the kept files are the bytes of the source, so that their line numbers are the source’s',
  async t => {
    const w = world(t)
    const text = '# head\r\nFirst.example\r\nsecond.example'
    const { version: document } = await importList({
      ...w.at(undefined),
      path: plainFile(w, text),
      category: 'games',
    })
    const folder = document.lists[1]?.folder ?? ''
    t.equal(readFileSync(join(w.dataDir, 'lists', folder, 'games.txt'), 'utf8'), text)
    t.match(folder, /^my\.list-/)
    const matches = await explainHost({
      dataDir: w.dataDir,
      version: document,
      host: host('www.first.example'),
    })
    t.match(matches, [
      {
        category: 'games',
        list: 'my.list',
        line: 2,
        text: 'First.example',
        domain: 'first.example',
      },
    ])
    t.equal(readFileSync(matches[0]?.file ?? '', 'utf8'), text)
  },
)

t.test('a host is explained by each list, category and level that names it', async t => {
  const w = world(t)
  const archive = await writeArchive(
    join(w.folder, 'a.tar.gz'),
    ut1Entries({ games: 'x.example\na.roblox.com\n', ai: '\n\n*.X.example\n203.0.113.9\n' }),
  )
  const { version: document } = await importList({
    ...w.at(undefined),
    path: archive,
    name: 'city',
  })
  const explain = (name: string) =>
    explainHost({ dataDir: w.dataDir, version: document, host: host(name) })
  t.match(await explain('b.a.roblox.com'), [
    { list: 'preau', category: 'games', domain: 'roblox.com' },
    { list: 'city', category: 'games', domain: 'a.roblox.com', line: 2 },
  ])
  t.match(await explain('x.example'), [
    { category: 'games', line: 1 },
    { category: 'ai', line: 3, text: '*.X.example' },
  ])
  t.match(await explain('203.0.113.9'), [{ category: 'ai', line: 4 }])
  t.same(await explain('evil-x.example'), [])
  t.same(await explain('localhost'), [])
})

t.test('a list of the same name is replaced, others stay, and what was lost is told', async t => {
  const w = world(t)
  const file = plainFile(w, 'mine.example\n', 'city.txt')
  const one = await importList({ ...w.at(undefined), path: file, category: 'porn' })
  const a = await writeArchive(
    join(w.folder, 'a.tar.gz'),
    ut1Entries({ games: 'a.example\n', ai: 'b.example\n' }),
  )
  const two = await importList({ ...w.at(one.version, 1), path: a })
  const b = await writeArchive(join(w.folder, 'b.tar.gz'), ut1Entries({ games: 'c.example\n' }))
  const { version: document, report } = await importList({ ...w.at(two.version, 2), path: b })
  t.same(
    document.lists.map(list => list.name),
    ['preau', 'city', 'ut1'],
  )
  t.match(report, { replaced: { source: a }, lost: ['ai'] })
  t.same(await categoriesOf(w.dataDir, document, 'a.example'), [])
  t.same(await categoriesOf(w.dataDir, document, 'c.example'), ['games'])
  t.same(
    await categoriesOf(w.dataDir, document, 'mine.example'),
    ['adult'],
    'an alias names its category',
  )
  const removed = await removeList({ ...w.at(document, 3), name: 'ut1' })
  t.same(
    removed.lists.map(list => list.name),
    ['preau', 'city'],
  )
  t.same(await categoriesOf(w.dataDir, removed, 'c.example'), [])
  for (const name of ['preau', 'ut1', 'nothing'])
    await t.rejects(
      removeList({ ...w.at(removed, 4), name }),
      { code: 'PREAU_INVALID_INPUT' },
      name,
    )
  t.match(
    await buildStarter(w.at(removed, 5)),
    { lists: [{ name: 'preau' }, { name: 'city' }] },
    'a new Préau keeps the lists',
  )
})

t.test(
  'an unpacked folder gives what its archive gives, the mirror’s cut files included',
  async t => {
    const w = world(t)
    const tree = join(w.folder, 'blacklists')
    for (const id of ['games', 'ai', 'publicite', 'odd'])
      mkdirSync(join(tree, id), { recursive: true })
    writeFileSync(join(tree, 'games', 'domains.0'), 'a.example')
    writeFileSync(join(tree, 'games', 'domains.1'), 'b.example\n')
    writeFileSync(join(tree, 'ai', 'domains'), 'c.example\n')
    writeFileSync(join(tree, 'ai', 'urls'), 'c.example/x\n')
    writeFileSync(join(tree, 'publicite', 'domains'), 'ads.example\n')
    writeFileSync(join(tree, 'odd', 'domains'), 'odd.example\n')
    symlinkSync('publicite', join(tree, 'ads'))
    const { version: document, report } = await importList({ ...w.at(undefined), path: tree })
    t.match(report, {
      name: 'ut1',
      kind: 'folder',
      counts: { ai: 1, games: 2, publicite: 1 },
      aliases: { ads: 'publicite' },
      unknown: { odd: 1 },
      pages: 1,
    })
    t.same(await categoriesOf(w.dataDir, document, 'b.example'), ['games'])
    cpSync(join(tree, 'publicite'), join(tree, 'pub-copy'), { recursive: true })
    symlinkSync('/etc', join(tree, 'outside'))
    await t.rejects(importList({ ...w.at(document, 1), path: tree }), {
      code: 'PREAU_LIST_REFUSED',
    })
  },
)

t.test(
  'a real folder that repeats a category under its alias is counted once, in any order',
  async t => {
    for (const order of [
      ['ads', 'publicite'],
      ['publicite', 'ads'],
    ]) {
      const w = world(t)
      const entries = ut1Entries(
        Object.fromEntries(order.map(id => [id, 'ads.example\nx.example\n'])),
      )
      const path = await writeArchive(join(w.folder, 'a.tar.gz'), entries)
      const { report } = await importList({ ...w.at(undefined), path })
      t.match(
        report,
        { domains: 2, duplicates: 0, counts: { publicite: 2 }, aliases: { ads: 'publicite' } },
        order.join(),
      )
    }
  },
)

t.test('usage errors are told before anything is read', async t => {
  const w = world(t)
  const path = plainFile(w, 'a.example\n')
  const archive = await writeArchive(
    join(w.folder, 'a.tar.gz'),
    ut1Entries({ games: 'a.example\n' }),
  )
  const invalid = { code: 'PREAU_INVALID_INPUT' }
  await t.rejects(importList({ ...w.at(undefined), path }), invalid, 'a file needs a category')
  await t.rejects(
    importList({ ...w.at(undefined), path, category: 'nope' }),
    invalid,
    'a known one',
  )
  await t.rejects(
    importList({ ...w.at(undefined), path: archive, category: 'games' }),
    invalid,
    'an archive does not',
  )
  for (const name of ['preau', '../x', 'a/b', '', 'A b', '.x'])
    await t.rejects(
      importList({ ...w.at(undefined), path, category: 'games', name }),
      invalid,
      `name ${name}`,
    )
  const missing = join(w.folder, 'none')
  await t.rejects(importList({ ...w.at(undefined), path: missing }), {
    code: 'PREAU_FILE_UNREADABLE',
  })
  t.same(readdirSync(join(w.dataDir, 'lists')), [])
})

t.test(
  'files that nothing names go; the version before, and an import that runs now, stay',
  async t => {
    const w = world(t)
    const path = plainFile(w, 'a.example', 'l.txt')
    const documents: ListsVersion[] = [await buildStarter(w.at(undefined))]
    for (let i = 1; i <= 3; i++)
      documents.push(
        (await importList({ ...w.at(documents.at(-1), i), path, category: 'ai' })).version,
      )
    const [, , before, current] = documents
    const later = await importList({ ...w.at(current, 9), path, category: 'ai' })
    const stranger = join(w.dataDir, 'lists', 'notes.txt')
    writeFileSync(stranger, 'not ours')
    if (current === undefined) throw new TypeError('no document')
    const inForce = (version: ListsVersion, previous?: ListsVersion): ListsDocument =>
      putInForce(previous && putInForce(undefined, previous, 'cli', 0), version, 'cli', 0)
    await dropUnreferenced(w.dataDir, { lists: inForce(current, before) })
    const expected = [
      before?.index,
      before?.lists[1]?.folder,
      current.index,
      current.lists[1]?.folder,
      later.version.index,
      later.version.lists[1]?.folder,
      'notes.txt',
    ]
    t.same(new Set(readdirSync(join(w.dataDir, 'lists'))), new Set(expected))
    t.same(await categoriesOf(w.dataDir, current, 'a.example'), ['ai'])
    t.match(await explainHost({ dataDir: w.dataDir, version: current, host: host('a.example') }), [
      { line: 1 },
    ])
  },
)
