import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openExpressions } from '../../src/categories/expressions.ts'
import { MAX_PROGRAMS, readExpressions } from '../../src/categories/reading/expression-line.ts'
import type { Host } from '../../src/policy/host.ts'
import type { ListInfo, ListsVersion } from '../../src/policy/lists.ts'

/** A list of expressions, by category. */
function aList(
  t: Test,
  lines: Readonly<Record<string, readonly string[]>>,
): { dataDir: string; version: ListsVersion; fileOf: (category: string) => string } {
  const dataDir = t.testdir()
  const folder = join(dataDir, 'lists', 'city')
  mkdirSync(folder, { recursive: true })
  const fileOf = (category: string): string => join(folder, `${category}.expressions.txt`)
  for (const [category, text] of Object.entries(lines))
    writeFileSync(fileOf(category), text.join('\n'))
  const history = { importedAt: 0, firstImportedAt: 0, since: {}, refusedLines: 0 }
  const expressions = Object.fromEntries(
    Object.entries(lines).map(([id, { length }]) => [id, length]),
  )
  const counts = { counts: {}, urls: {}, expressions }
  const list: ListInfo = { name: 'city', folder: 'city', source: 'test', ...history, ...counts }
  const built = { id: 'x', builtAt: 0, index: 'x', hosts: 0, starterDigest: '' }
  return { dataDir, version: { ...built, lists: [list] }, fileOf }
}

const site = 'site.example' as Host

t.test('an expression closes what it matches, in any case, and only where it is on', async t => {
  const games = ['(jeux|games)[0-9]*\\.', '/casino/', '# comment', '']
  const { dataDir, version } = aList(t, { games, ai: ['^chat[.]', '/casino/x$'] })
  const categories = ['games', 'ai']
  const { match, count, left } = await openExpressions({ dataDir, version, categories })
  t.same([count, left], [4, 0])
  t.same(match('Jeux12.example' as Host, undefined), ['games'])
  t.same(match(site, '/a/CASINO/b'), ['games'])
  t.same(match(site, '/casino/x'), ['ai', 'games'], 'all the categories, not the first')
  t.same(match('chat.example' as Host, undefined), ['ai'], 'the address begins with the host')
  t.same(match(site, '/?q=games4.example'), ['games'], 'the query is a part of it')
  t.same(match(site, undefined), [], 'where the path is hidden, the host alone')
  t.same(match(site, '/a'), [])
  t.equal(match(site, '/a'), match(site, '/b'), 'nothing is made for what matches nothing')
  const one = await openExpressions({ dataDir, version, categories: ['ai'] })
  t.same(one.match('jeux12.example' as Host, undefined), [])
  const off = await openExpressions({ dataDir, version, categories: ['press'] })
  t.same([off.count, off.match(site, '/casino/')], [0, []])
})

t.test(
  'a line that is no expression, or asks for too much, is refused with its number',
  async t => {
    const lines = [
      '(a',
      'ok',
      '((a{1,1000}){1,1000})',
      'x'.repeat(2_049),
      '(?=look)',
      '\\1',
      '(?i)x',
      '\\pL+',
      '[[:alpha:]]{1,400}',
      '(a{300}b{300}){2}',
      Array.from({ length: 300 }, (_, i) => `${i}x`).join('|'),
      '*.com',
      '([[:digit:]]{1,3}\\.){3}[[:digit:]]{1,3}',
      '',
      '# (',
      '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}',
      '[](){}]{3}\\[{2}x',
      'last',
    ]
    const { fileOf } = aList(t, { games: lines })
    const read: number[] = []
    const tally = await readExpressions(fileOf('games'), ({ line }) => read.push(line))
    t.same(read, [2, 13, 16, 17, 18])
    t.match(tally, { names: 5, refused: 11 })
    t.same(
      tally.samples.map(({ line }) => line),
      [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    )
    t.ok(tally.samples.every(({ text }) => text.length <= 120))
  },
)

t.test('neither one file nor all of them together can make the program big', async t => {
  const big = '[[:alpha:]]{1,150}'
  const { dataDir, version, fileOf } = aList(t, {
    games: Array.from({ length: 100 }, (_, i) => `${i}${big}`),
    ai: Array.from({ length: 100 }, (_, i) => `${i}${big}`),
    blog: Array.from({ length: 5_000 }, (_, i) => `b${i}`),
    forums: [...Array.from({ length: 4_999 }, () => '('), 'compiling has ended long before'],
  })
  let programs = 0
  const games = await readExpressions(fileOf('games'), ({ size }) => (programs += size))
  t.ok(programs <= MAX_PROGRAMS && games.names > 1 && games.names + games.refused === 100)
  const blog = await readExpressions(fileOf('blog'))
  t.equal(blog.names + blog.refused, 5_000)
  t.ok(blog.names <= 1_000)
  t.match(await readExpressions(fileOf('forums')), { names: 0, refused: 5_000 })
  const categories = ['games', 'ai', 'blog', 'forums']
  const all = await openExpressions({ dataDir, version, categories })
  t.ok(all.count >= games.names && all.count <= 1_000)
  t.ok(all.left > 0, 'and what is left out is told')
})

t.test('expressions that stall other engines are answered, however long the address', async t => {
  const games = ['(a+)+$', '(a|aa)+$', '(.*)*#', '([a-z]+)*\\.zip', '(x+x+)+y', '.*a.{20}b.*c']
  const { dataDir, version } = aList(t, { games })
  const { match, count } = await openExpressions({ dataDir, version, categories: ['games'] })
  t.equal(count, 6)
  // A backtracking engine would need more steps than there are atoms: this test would not end.
  t.same(match(site, `/${'a'.repeat(1_000)}!`), [])
  t.same(match(site, `/${'a'.repeat(1_000)}`), ['games'])
  for (const end of ['', 'a', '!.zip'])
    t.same(match(site, `/${'ab'.repeat(50_000)}${end}`), [], 'only the beginning is looked at')
})

t.test('the hosts of tunnels are remembered, and no more than are asked for often', async t => {
  const { dataDir, version } = aList(t, { games: ['jeux'] })
  const { match } = await openExpressions({ dataDir, version, categories: ['games'] })
  const first = match('jeux.example' as Host, undefined)
  t.equal(match('jeux.example' as Host, undefined), first, 'the same answer, not a new one')
  for (let i = 0; i < 10_001; i++) match(`h${i}.example` as Host, undefined)
  t.not(match('jeux.example' as Host, undefined), first, 'forgotten, and found again')
  t.same(match('jeux.example' as Host, undefined), ['games'])
})

t.test('a line that would take long to compile is not compiled', async t => {
  const lines = ['a{1000}'.repeat(290), '((a{100}b){9}c){9}', '[a-z]{1,1000}'.repeat(150), 'ok']
  const { fileOf } = aList(t, { games: Array.from({ length: 400 }, () => lines).flat() })
  // Compiled, these lines would take minutes and more memory than there is.
  t.match(await readExpressions(fileOf('games')), { names: 400, refused: 1_200 })
})
