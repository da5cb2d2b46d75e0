/** The real lists of Université Toulouse Capitole (CC BY-SA 4.0), where this machine has them. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { explainHost, indexFile } from '../../src/categories/lists.ts'
import type { ImportReport } from '../../src/categories/lists.ts'
import type { Host } from '../../src/policy/host.ts'
import type { ListsVersion } from '../../src/policy/lists.ts'

const archive = fileURLToPath(
  new URL('../../../shared/data/ut1-2026-08-17.tar.gz', import.meta.url),
)
const skip = existsSync(archive) ? false : 'the UT1 archive is not beside the project'

interface Imported {
  readonly version: ListsVersion
  readonly report: ImportReport
  readonly peakKilobytes: number
}

/** Imports in a process of its own, as the command line does, so that its memory can be measured. */
async function importApart(dataDir: string): Promise<Imported> {
  const script = fileURLToPath(new URL('./fixtures/import-process.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, archive, dataDir], {
    maxBuffer: 2 ** 24,
  })
  return JSON.parse(stdout) as Imported
}

/** Distinct names of a category, counted by other programs than ours. */
async function countApart(category: string): Promise<number> {
  const command = `tar xzOf '${archive}' blacklists/${category}/domains | tr -d '\\r' | tr A-Z a-z | grep . | LC_ALL=C sort -u | wc -l`
  const { stdout } = await promisify(execFile)('sh', ['-c', command])
  return Number(stdout)
}

t.test('the real archive is imported in a few seconds and a modest memory', { skip }, async t => {
  const dataDir = t.testdir()
  const { version: document, report, peakKilobytes } = await importApart(dataDir)
  t.comment(
    `${report.domains} domains, ${report.hosts} hosts, ${(report.elapsedMs / 1000).toFixed(1)} s, peak ${(peakKilobytes / 1024).toFixed(0)} MiB, index ${report.indexBytes} bytes`,
  )
  t.ok(report.elapsedMs < 15_000)
  t.ok(peakKilobytes < 400 * 1024)
  t.match(report, {
    name: 'ut1',
    domains: 637_932,
    pages: 42_410,
    expressions: 5,
    refusedLines: 0,
    remarks: { suffixLines: 9, files: 3 },
    ignored: { very_restrictive_expression: 1, other: 3 },
    unknownCategories: [],
    aliases: { porn: 'adult', mail: 'forums' },
  })
  t.equal(report.remarks.lines, 893, 'pages with a fragment, which no browser sends')
  t.ok(report.leftSamples.every(({ text }) => text.includes('#')))
  const suffixes = report.remarks.suffixes.map(({ host, category }) => `${category} ${host}`)
  for (const one of ['publicite biz.ua', 'gambling bet.br', 'games servegame.com'])
    t.ok(suffixes.includes(one), `${one} would close sites of strangers`)
  t.notOk(
    suffixes.some(one => /^(?:dynamic-dns|blog|webhosting) /.test(one)),
    'where a category is about services under whose names anybody has sites, they are meant',
  )
  t.equal(report.usages['agressif']?.label, 'Agréssif (anglais)', 'its typos are not ours to mend')
  t.same(
    report.contradictions.map(({ category }) => category).toSorted(),
    ['ai', 'cooking', 'press', 'shortener'],
    'for these the catalogue decides',
  )
  const leftOf = (category: string): number =>
    suffixes.filter(one => one.startsWith(`${category} `)).length
  for (const category of ['games', 'jobsearch', 'press', 'redirector', 'shopping'])
    t.equal(
      (report.counts[category] ?? 0) + leftOf(category),
      await countApart(category),
      `${category}: nothing is lost`,
    )
  const index = await openCategoryIndex(indexFile(dataDir, document), { cacheEntries: 100 })
  t.equal(index.hosts, report.hosts)
  const expected: Record<string, string> = {
    'www.agebooter.com': 'ddos',
    'fr.750g.com': 'cooking',
    'jw.org': 'associations_religieuses',
    'm.facebook.com': 'social_networks',
    'www.prankdial.com': 'dialer',
    'www.virtualskipper.com': 'special',
    '209.62.112.114': 'cleaning',
    'www.ac-amiens.fr': 'liste_blanche',
    'a.leonardo-france.com': 'reaffected',
    'www.abcbourse.com': 'financial',
    'www.malwarebytes.com': 'cleaning',
    '2and2.net': 'mixed_adult',
    'anybody.duckdns.org': 'dynamic-dns',
    'anybody.blogspot.com': 'blog',
    'anybody.pages.dev': 'webhosting',
  }
  for (const [name, category] of Object.entries(expected))
    t.ok(index.lookup(name as Host).includes(category), `${name}: ${category}`)
  for (const name of ['evil-750g.com', 'google.com', 'nowhere.example'])
    t.same(index.lookup(name as Host), [], name)
  const matches = await explainHost({ dataDir, version: document, host: 'm.facebook.com' as Host })
  t.same(
    matches.map(({ list, category }) => `${list} ${category}`),
    ['preau social_networks', 'ut1 blog', 'ut1 forums', 'ut1 social_networks'],
  )
})
