import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openCategoryIndex } from '../../../src/categories/index/category-index.ts'
import { IndexWriter } from '../../../src/categories/index/index-writer.ts'
import { parseUrlLine } from '../../../src/categories/reading/url-line.ts'
import type { Host } from '../../../src/policy/host.ts'

async function indexOf(t: Test, lines: readonly string[]) {
  const writer = new IndexWriter()
  const page = writer.tag({ list: 'ut1', category: 'games', kind: 'page' })
  const host = writer.tag({ list: 'ut1', category: 'games', kind: 'page-host' })
  for (const line of lines) {
    const parsed = parseUrlLine(line)
    if (parsed.kind !== 'page') throw new TypeError(line)
    writer.addPage(page, host, parsed.host, parsed.path)
  }
  const file = join(t.testdir(), 'index.bin')
  await writer.write(file)
  return openCategoryIndex(file, { cacheEntries: 10 })
}

const rows: readonly [entry: string, url: string, isListed: boolean][] = [
  ['site.example/jeux', 'site.example/jeux', true],
  ['site.example/jeux', 'www.site.example/jeux', true],
  ['site.example/jeux', 'site.example/jeux/', true],
  ['site.example/jeux', 'site.example/jeux/a/b?c=d', true],
  ['site.example/jeux', 'site.example/jeux?page=2', true],
  ['site.example/jeux', 'site.example/jeux;v=1', true],
  ['site.example/jeux', 'site.example/jeuxde', false],
  ['site.example/jeux', 'site.example/', false],
  ['site.example/jeux', 'site.example/x/jeux', false],
  ['site.example/jeux', 'other.site.example/jeux', false],
  ['site.example/jeux', 'site.example/Jeux', false],
  ['SITE.example/Jeux', 'site.example/Jeux', true],
  ['http://www.site.example:8080/jeux', 'site.example/jeux', true],
  ['site.example/été', 'site.example/%C3%A9t%C3%A9/1', true],
  ['site.example/play.php?id=7', 'site.example/play.php?id=7&x=1', true],
  ['site.example/play.php?id=7', 'site.example/play.php?id=77', false],
  ['site.example/play.php?id=', 'site.example/play.php?id=77', true],
  ['site.example/', 'site.example/anything', true],
  ['site.example/jeux/', 'site.example/jeux/a', true],
  ['192.0.2.7/jeux', '192.0.2.7/jeux/1', true],
  ['site.example/jeux', 'site.example/%6Aeux', true],
  ['site.example/jeux', 'site.example/%6aeux/1', true],
  ['site.example/jeux', 'site.example//jeux', true],
  ['site.example/jeux', 'site.example/./jeux', true],
  ['site.example/jeux', 'site.example/x/../jeux', true],
  ['site.example/jeux', 'site.example/x/%2e%2E/jeux', true],
  ['site.example/jeux', 'site.example/jeux/../calme', false],
  ['site.example/%6Aeux', 'site.example/jeux', true],
  ['site.example//a/./jeux/', 'site.example/a/jeux/1', true],
  ['site.example/a%2fb', 'site.example/a%2Fb', true],
  ['site.example/a%2fb', 'site.example/a/b', false],
  ['site.example/é', 'site.example/\u00c3\u00a9', true],
  ['site.example/p?q=%41', 'site.example/p?q=A', true],
]
for (const [entry, url, isListed] of rows) {
  t.test(`« ${entry} » ${isListed ? 'covers' : 'does not cover'} ${url}`, async t => {
    const { pages, hints, lookup } = await indexOf(t, [entry])
    const slash = url.indexOf('/')
    const host = url.slice(0, slash) as Host
    t.same(pages(host, url.slice(slash)), isListed ? ['games'] : [])
    t.same(pages(host, undefined), [], 'where the path is hidden no page is found')
    t.same(lookup(host), [], 'the host itself is not listed')
    if (!host.startsWith('other.')) t.same(hints(host), ['games'], 'but some page of it is')
  })
}

t.test('a path of any length is judged by its beginning', async t => {
  const { pages } = await indexOf(t, ['site.example/jeux'])
  const host = 'site.example' as Host
  t.same(pages(host, `/jeux/${'a/'.repeat(100_000)}`), ['games'])
  t.same(pages(host, `/${'a/'.repeat(100_000)}jeux`), [])
  t.same(pages(host, `/${'./'.repeat(100_000)}jeux`), ['games'], 'of its normal form')
})

t.test('a line that names no page is refused', async t => {
  for (const line of [
    'site.example',
    'com/x',
    'http:///x',
    'a b/c',
    'a..example/x',
    `a.example/${'x'.repeat(3_000)}`,
  ])
    t.equal(parseUrlLine(line).kind, 'refused', line)
  for (const line of ['site.example/#top', 'site.example/a#b'])
    t.equal(parseUrlLine(line).kind, 'left', line)
  for (const line of ['', ' ', '# x', '; x', '// x'])
    t.equal(parseUrlLine(line).kind, 'blank', line)
})
