import t from 'tap'
import { parse } from 'tldts'
import { loadCatalogue } from '../../../src/categories/catalogue.ts'
import { keyOfBytes } from '../../../src/categories/index/host-key.ts'
import { suffixFilter } from '../../../src/categories/reading/public-suffix.ts'
import { starterFiles } from '../../../src/categories/starter.ts'
import { readFileSync } from 'node:fs'
import type { Host } from '../../../src/policy/host.ts'

const catalogue = loadCatalogue()
const mayBe = (category: string, name: string): boolean | undefined => {
  const bytes = Buffer.from(name)
  const key = keyOfBytes(bytes, 0, bytes.length)
  return key === undefined ? undefined : suffixFilter(category, catalogue)?.mayBe(key)
}
const judge = (category: string, name: string): 'left' | 'service' | undefined =>
  suffixFilter(category, catalogue)?.judge(name as Host)

t.test('a category that closes sites holds no suffix, of a registry or of a company', async t => {
  for (const name of ['co.uk', 'gouv.fr', 'github.io', 'blogspot.com', 'a.ck', 'x.kawasaki.jp']) {
    t.equal(judge('games', name), 'left', name)
    t.equal(judge('malware', name), 'left', name)
    t.equal(mayBe('games', name), true, `${name} is found without a string`)
  }
  for (const name of ['bbc.co.uk', 'someone.github.io', 'www.ck', 'city.kawasaki.jp', '192.0.2.7'])
    t.equal(judge('games', name), undefined, name)
})

t.test('where lists name whole services on purpose, one of a company counts', async t => {
  t.equal(judge('dynamic-dns', 'duckdns.org'), 'service')
  t.equal(judge('blog', 'blogspot.com'), 'service')
  t.equal(judge('webhosting', 'pages.dev'), 'service')
  t.equal(judge('redirector', 'translate.goog'), 'service')
  t.equal(judge('webhosting', 'co.uk'), 'left', 'one of a registry never')
})

t.test('a machine of a company bears its address, and is no home of strangers', async t => {
  const machine = 'ec2-192-0-2-7.compute-1.amazonaws.com'
  t.equal(judge('malware', machine), undefined)
  t.equal(judge('malware', 'us-east-1.elb.amazonaws.com'), 'left')
})

t.test('a category that closes nothing may name what it likes', async t =>
  t.equal(suffixFilter('liste_blanche', catalogue), undefined),
)

t.test('the table of the package says what the package says', async t => {
  // Labels of many suffixes, put together in ways that are suffixes and in ways that are none.
  const labels = [
    'com',
    'co',
    'uk',
    'gov',
    'fr',
    'jp',
    'tokyo',
    'io',
    'github',
    'de',
    'it',
    'k12',
    'ca',
    'us',
    'ck',
    'mm',
    'compute',
    'amazonaws',
    's3',
    'vercel',
    'app',
  ]
  let suffixes = 0
  for (const a of labels)
    for (const b of labels)
      for (const name of [`${a}.${b}`, ...labels.map(c => `${c}.${a}.${b}`)]) {
        const isSuffix = parse(name, { allowPrivateDomains: true }).publicSuffix === name
        if (isSuffix) suffixes++
        if ((judge('games', name) === 'left') !== isSuffix) t.fail(name)
        if (isSuffix && mayBe('games', name) !== true) t.fail(`${name} is not found`)
      }
  t.ok(suffixes > 50, `${suffixes} suffixes were looked at`)
})

t.test('no starter list loses a line', async t => {
  for (const { category, file } of await starterFiles())
    for (const line of readFileSync(file, 'utf8').split('\n'))
      if (judge(category, line.trim()) === 'left') t.fail(`${category}: ${line}`)
})
