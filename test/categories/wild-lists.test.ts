/** Lists as they are found in the wild: read as far as they say what we mean, and what is not read is told. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { importList, indexFile, type ImportReport } from '../../src/categories/lists.ts'
import { parseHumanHost, type Host } from '../../src/policy/host.ts'
import type { ListInfo } from '../../src/policy/lists.ts'
import { archiveBytes, ut1Entries, type Entry } from './fixtures/archive.ts'

const catalogue = loadCatalogue()
const NAMES = ['a.example', 'b.example', 'c.example', 'd.example']
const LINES = `${NAMES.join('\n')}\n`
const each = (form: (name: string) => string): string => NAMES.map(form).join('\n')

interface Imported {
  readonly report: ImportReport
  readonly list: ListInfo | undefined
  readonly categories: (name: string) => readonly string[]
}

async function bring(t: Test, name: string, bytes: string | Uint8Array): Promise<Imported> {
  const folder = t.testdir()
  const path = join(folder, name)
  writeFileSync(path, bytes)
  const dataDir = join(folder, 'data')
  const isArchive = name.includes('.tar')
  const { version, report } = await importList({
    dataDir,
    catalogue,
    path,
    current: undefined,
    now: 1,
    name: 'wild',
    ...(isArchive ? {} : { category: 'games' }),
  })
  const { lookup } = await openCategoryIndex(indexFile(dataDir, version), { cacheEntries: 0 })
  return {
    report,
    list: version.lists.find(list => list.name === 'wild'),
    categories: host => lookup(parseHumanHost(host) as Host),
  }
}

const closesAll = (t: Test, { categories }: Imported, of = 'games'): void => {
  for (const name of NAMES) t.same(categories(`www.${name}`), [of], name)
}

const TEXTS: Record<string, string | Uint8Array> = {
  'a text in gzip': gzipSync(LINES),
  'a text in gzip that a server has compressed once more': gzipSync(gzipSync(LINES)),
  'a text of a Windows editor, in UTF-16': Buffer.from(`\uFEFF${LINES}`, 'utf16le'),
  'the same, the other way round': Buffer.from(`\uFEFF${LINES}`, 'utf16le').swap16(),
  'the same in gzip': gzipSync(Buffer.from(`\uFEFF${LINES}`, 'utf16le')),
  'a list with more comments than sites': `; x\n// x\n${LINES}${'; x\n// x\n'.repeat(9)}`,
  'a list for AdGuard, all of it said louder': `[Adblock Plus]\n${each(name => `||${name}^$all`)}`,
  'a list for dnsmasq': each(name => `address=/${name}/0.0.0.0`),
  'a list for unbound': `server:\n${each(name => `local-zone: "${name}." always_null`)}`,
  'a response policy zone': `$TTL 2h\n@ SOA localhost. root.localhost. (1 2 3 4 5)\n  NS localhost.\n${each(name => `${name} CNAME .\n*.${name} CNAME .`)}`,
}
for (const [title, bytes] of Object.entries(TEXTS)) {
  t.test(`${title} is read whole`, async t => {
    const imported = await bring(t, 'list.txt', bytes)
    closesAll(t, imported)
    t.match(imported.report, { domains: 4, refusedLines: 0, remarks: { lines: 0 } })
  })
}

t.test(
  'lines that are understood and left out do not speak against a list, and are told',
  async t => {
    const pairs = each(name => `||${name}^\n||${name}^$popup\n${name}##.ad`)
    const imported = await bring(
      t,
      'list.txt',
      `[Adblock Plus]\n${pairs}\n@@||open.example^\n&ad=\n`,
    )
    closesAll(t, imported)
    t.same(imported.categories('open.example'), [])
    t.match(imported.report, { domains: 4, refusedLines: 0, remarks: { lines: 10 } })
    t.match(imported.report.leftSamples[0], { line: 3, text: '||a.example^$popup' })
    t.match(imported.list?.remarks, {
      lines: 10,
      examples: ['||a.example^$popup', 'a.example##.ad'],
    })
  },
)

t.test('public suffixes are left out and told by name, whatever else the list holds', async t => {
  const imported = await bring(t, 'list.txt', `${LINES}co.uk\n*.github.io\n||gouv.fr^\ngouv.fr\n`)
  closesAll(t, imported)
  for (const name of ['www.bbc.co.uk', 'someone.github.io', 'www.service-public.gouv.fr'])
    t.notOk(imported.categories(name).includes('games'), name)
  t.match(imported.list?.remarks, {
    suffixLines: 4,
    suffixes: ['co.uk', 'github.io', 'gouv.fr'].map(host => ({ host, category: 'games' })),
  })
  t.match(imported.report, { domains: 4, refusedLines: 0 })
})

t.test(
  'a list of services names them on purpose, and what it closes so widely is told',
  async t => {
    const entries = ut1Entries({ 'dynamic-dns': 'duckdns.org\nco.uk\n' })
    const imported = await bring(t, 'x.tar.gz', await archiveBytes(entries))
    t.same(imported.categories('somebody.duckdns.org'), ['dynamic-dns'])
    t.match(imported.list?.remarks, {
      suffixes: [{ host: 'co.uk', category: 'dynamic-dns' }],
      serviceLines: 1,
      services: [{ host: 'duckdns.org', category: 'dynamic-dns' }],
    })
  },
)

t.test('a list of nothing but suffixes is refused', async t =>
  t.rejects(bring(t, 'list.txt', 'co.uk\ngithub.io\n'), { code: 'PREAU_LIST_REFUSED' }),
)

t.test('a name behind an address without a blank is no host, and is shown', async t => {
  const imported = await bring(t, 'list.txt', `${LINES}0.0.0.0pool.example\n`)
  t.match(imported.report, { domains: 4, refusedLines: 1 })
  t.match(imported.report.refusedSamples, [{ line: 5, text: '0.0.0.0pool.example' }])
})

t.test('of a hosts line with an odd name the others count', async t => {
  const imported = await bring(t, 'list.txt', `0.0.0.0 ${NAMES.join(' ')} odd\n`)
  closesAll(t, imported)
  t.match(imported.report, { domains: 4, refusedLines: 1 })
})

const tar = async (entries: readonly Entry[]): Promise<Buffer> =>
  gunzipSync(await archiveBytes(entries))

t.test('a tar archive that something has unwrapped on the way is the archive', async t => {
  closesAll(t, await bring(t, 'ut1.tar', await tar(ut1Entries({ games: LINES }))))
  closesAll(
    t,
    await bring(t, 'x.tar.gz', gzipSync(await archiveBytes(ut1Entries({ games: LINES })))),
  )
})

t.test('a hard link is the same file under another name', async t => {
  const link = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname })
  const imported = await bring(
    t,
    'x.tar',
    await tar([
      ...ut1Entries({ games: LINES }),
      link('blacklists/jeux/domains', 'blacklists/games/domains'),
      link('blacklists/vpn/domains', 'blacklists/games/domains'),
      link('blacklists/games/copy', 'blacklists/games/domains'),
    ]),
  )
  for (const name of NAMES) t.same(imported.categories(name), ['games', 'vpn'], name)
  t.match(imported.report, { aliases: { jeux: 'games' }, remarks: { files: 1 } })
  t.same(imported.list?.remarks?.fileNames, ['blacklists/games/copy'])
})

t.test(
  'a category within another is known by its names joined or by the last, or told',
  async t => {
    const imported = await bring(
      t,
      'x.tar.gz',
      await archiveBytes([
        { name: 'BL/games/domains', content: LINES },
        { name: 'BL/recreation/sports/domains', content: 'deep.example\n' },
        { name: 'BL/social/networks/domains', content: 'joined.example\n' },
        { name: 'BL/hobby/pets/domains', content: 'cat.example\ndog.example\n' },
        { name: 'BL/hobby/games/domains', content: 'more.example\n' },
        { name: 'BL/a/b/c/d/domains', content: 'too-deep.example\n' },
      ]),
    )
    closesAll(t, imported)
    t.same(imported.categories('deep.example'), ['sports'])
    t.same(imported.categories('joined.example'), ['social_networks'])
    t.same(imported.categories('more.example'), ['games'], 'beside what the category has')
    t.match(imported.report.aliases, { 'recreation/sports': 'sports', 'hobby/games': 'games' })
    t.same(imported.report.unknown, { 'hobby/pets': 2 })
    t.match(imported.list?.remarks, {
      categories: ['hobby/pets'],
      files: 1,
      fileNames: ['BL/a/b/c/d/domains'],
    })
  },
)
