import t from 'tap'
import { wrappedSites } from '../../src/policy/wrapped-site.ts'
import { host } from '../support/snapshot.ts'

const sitesIn = (name: string, path?: string): string[] =>
  wrappedSites({ host: host(name), port: 80, ...(path === undefined ? {} : { path }) }).map(site =>
    site.path === undefined ? site.host : `${site.host}${site.path}`,
  )

t.test('the name of a translator or an AMP cache tells the site inside', async t => {
  const rows: Record<string, string[]> = {
    'www-games-test.translate.goog': ['www.games.test'],
    'my--site-games-test.translate.goog': ['my-site.games.test'],
    'games-test.cdn.ampproject.org': ['games.test'],
    'x.games-test.cdn.ampproject.org': ['games.test'],
    'games-test.bing-amp.com': ['games.test'],
    // `bücher.example`, as AMP writes it: in Unicode, dots replaced, then in A-labels as a whole.
    'xn--bcher-example-wob.cdn.ampproject.org': ['xn--bcher-kva.example'],
    // And as Google's translator does: its A-label without `xn--`, marked.
    '0-bcher--kva-example.translate.goog': [
      '0.bcher-kva.example',
      'bcher-kva.example',
      'xn--bcher-kva.example',
    ],
    // AMP marks a name whose second and third letters are hyphens.
    '0-en----us-games-test-0.cdn.ampproject.org': ['en--us.games.test', 'xn--en--us.games.test'],
    '1-2-3-4.translate.goog': ['1.2.3.4'],
    'translate.goog': [],
    'games.translate.goog': [],
    'games---test.translate.goog': ['games-.test'],
    'xtranslate.goog': [],
    'games-test.translate.goog.other.test': [],
  }
  for (const [name, sites] of Object.entries(rows)) t.strictSame(sitesIn(name), sites, name)
})

t.test('where the path can be seen, an archive tells the site inside', async t => {
  const rows: [string, string, string[]][] = [
    ['web.archive.org', '/web/2020/http://games.test/a?b', ['games.test/a?b']],
    ['web.archive.org', '/web/2020id_/games.test', ['games.test/']],
    ['web.archive.org', '/web/*/https://Games.test/*', ['games.test/*']],
    ['webcache.googleusercontent.com', '/search?q=cache:games.test/x', ['games.test/x']],
    ['translate.google.com', '/website?sl=en&u=http%3A%2F%2Fgames.test%2Fx', ['games.test/x']],
    [
      'translate.google.com',
      '/?u=http%3a%2f%2fgames%2Etest%3a80%2fx%2520y&l=fr',
      ['games.test/x%20y'],
    ],
    ['web.archive.org', '/%77eb/2020/http://games.test/a', ['games.test/a']],
    ['web.archive.org', '//web/./2020/http://games.test/a', ['games.test/a']],
    ['web.archive.org', '/x/../web/2020/h%74tps://games.test/a', ['games.test/a']],
    ['web.archive.org', '/web/2020/https%3A%2F%2Fgames.test%2Fa', ['games.test/a']],
    ['web.archive.org', '/web/2020/http://someone@games.test/a', ['games.test/a']],
    ['translate.google.fr', '/translate?u=https://games.test', ['games.test/']],
    ['web.archive.org', '/about/', []],
    ['free.test', '/?u=http://games.test/', []],
  ]
  for (const [name, path, sites] of rows) t.strictSame(sitesIn(name, path), sites, name + path)
})
