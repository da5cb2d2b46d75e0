import t from 'tap'
import { linkTarget, placeFile, safePath } from '../../../src/categories/reading/ut1-layout.ts'

t.test(
  'paths that leave the folder of the list are refused, others are put in one form',
  async t => {
    for (const name of [
      '/etc/passwd',
      '../x',
      'a/../../x',
      'a/..',
      '..',
      '',
      'a\\..\\b',
      'a\u0000b',
      'a\nb',
      'x'.repeat(2_000),
    ])
      t.equal(safePath(name), undefined, JSON.stringify(name.slice(0, 20)))
    t.equal(safePath('./blacklists//games/domains'), 'blacklists/games/domains')
    t.equal(safePath('games/'), 'games')
    t.equal(safePath('a..b/domains'), 'a..b/domains')
  },
)

t.test('links are read from where they stand', async t => {
  t.equal(linkTarget('blacklists/ads', 'publicite'), 'blacklists/publicite')
  t.equal(linkTarget('blacklists/ads', '../other/'), 'other')
  for (const to of ['/etc', '../../etc', 'x/../../../etc', ''])
    t.equal(linkTarget('blacklists/ads', to), undefined, to)
})

t.test('domains are told from what is not read', async t => {
  t.match(placeFile('blacklists/games/domains'), {
    kind: 'domains',
    category: 'games',
    folder: 'blacklists/games',
  })
  t.match(placeFile('games/domains'), { kind: 'domains', category: 'games' })
  t.match(
    placeFile('adult/domains.2'),
    { kind: 'domains', category: 'adult' },
    'as the mirror cuts it',
  )
  t.match(
    placeFile('BL/recreation/sports/domains'),
    { kind: 'domains', category: 'recreation/sports', folder: 'BL/recreation/sports' },
    'a category within another, as Shalla had them',
  )
  t.match(placeFile('blacklists/games/usage'), { kind: 'usage', category: 'games' })
  for (const path of ['blacklists/global_usage', 'global_usage'])
    t.same(placeFile(path), { kind: 'global-usage' }, path)
  for (const path of [
    'blacklists/README',
    'domains',
    'a/b/c/d/e/domains',
    'adult/very_restrictive_expression',
    'games/domains.bak',
    'a/b/global_usage',
  ])
    t.same(placeFile(path).kind, 'ignored', path)
})

t.test(
  'pages and expressions are kept too, but never the expression that blocks half of the web',
  async t => {
    for (const kind of ['urls', 'expressions'] as const)
      t.match(placeFile(`blacklists/games/${kind}`), { kind, category: 'games' })
    const what = 'very_restrictive_expression'
    t.same(placeFile(`blacklists/adult/${what}`), { kind: 'ignored', what })
  },
)
