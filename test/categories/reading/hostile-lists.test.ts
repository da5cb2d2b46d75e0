import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { openCategoryIndex } from '../../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../../src/categories/catalogue.ts'
import { importList, indexFile } from '../../../src/categories/lists.ts'
import type { PreauError } from '../../../src/errors.ts'
import type { Host } from '../../../src/policy/host.ts'
import { archiveBytes, ut1Entries, type Entry } from '../fixtures/archive.ts'

const catalogue = loadCatalogue()
const good = ut1Entries({ games: 'play.example\n', ai: 'bot.example\n' })
const [first, ...others] = good
if (first === undefined) throw new TypeError('no entry')
const DAY = 86_400_000

interface Case {
  readonly name: string
  readonly bytes: () => Promise<Uint8Array> | Uint8Array
  /** What the error must name. */
  readonly says: RegExp
  readonly category?: string
  readonly limits?: { entries: number; bytes: number }
}

const archive = (name: string, says: RegExp, extra: readonly Entry[]): Case => ({
  name,
  says,
  bytes: () => archiveBytes([first, ...extra, ...others]),
})

const noise = Buffer.from(
  Array.from({ length: 4_000 }, (_, i) => `h${randomBytes(6).toString('hex')}${i}.example`).join(
    '\n',
  ),
)

const CASES: readonly Case[] = [
  archive('an absolute path', /"\/etc\/games\/domains"/, [
    { name: '/etc/games/domains', content: 'x.example\n' },
  ]),
  archive('a path that climbs', /"blacklists\/\.\.\/\.\.\/games\/domains"/, [
    { name: 'blacklists/../../games/domains', content: 'x' },
  ]),
  archive('a link that leaves the tree', /"blacklists\/porn"/, [
    { name: 'blacklists/porn', type: 'symlink', linkname: '../../../etc' },
  ]),
  archive('a link to an absolute path', /"blacklists\/porn"/, [
    { name: 'blacklists/porn', type: 'symlink', linkname: '/etc/passwd' },
  ]),
  archive('a hard link', /"blacklists\/games\/x"/, [
    { name: 'blacklists/games/x', type: 'link', linkname: '/etc/passwd' },
  ]),
  archive('a device', /"blacklists\/null".*character-device/, [
    { name: 'blacklists/null', type: 'character-device', devmajor: 1, devminor: 3 },
  ]),
  archive('a named pipe', /"blacklists\/pipe"/, [{ name: 'blacklists/pipe', type: 'fifo' }]),
  archive('an entry that appears twice', /"blacklists\/games\/domains".*twice/, [first]),
  archive('two trees of the same category', /"other\/games".*twice/, [
    { name: 'other/games/domains', content: 'x.example' },
  ]),
  archive('a name that writes on the terminal', /"blacklists\/\\u001b\[2J"/, [
    { name: 'blacklists/\u001b[2J', content: '' },
  ]),
  {
    name: 'more entries than allowed',
    says: /more than 20 entries/,
    bytes: () =>
      archiveBytes([
        ...good,
        ...Array.from({ length: 30 }, (_, i) => ({
          name: `blacklists/x${i}/usage`,
          content: 'black',
        })),
      ]),
    limits: { entries: 20, bytes: 2 ** 31 },
  },
  {
    name: 'a gzip bomb in a file that is not even kept',
    says: /more than 1048576 bytes/,
    bytes: () =>
      archiveBytes([...good, { name: 'blacklists/README', content: Buffer.alloc(2 ** 24) }]),
    limits: { entries: 100, bytes: 2 ** 20 },
  },
  {
    name: 'a bomb of nothing but zeros',
    says: /it is a binary file/,
    bytes: () => gzipSync(Buffer.alloc(2 ** 24)),
  },
  {
    name: 'a bomb of text',
    says: /more than 1048576 bytes/,
    bytes: () => gzipSync(Buffer.alloc(2 ** 24, 'a.example\n')),
    category: 'games',
    limits: { entries: 100, bytes: 2 ** 20 },
  },
  {
    name: 'a bomb within a bomb',
    says: /more than 1048576 bytes/,
    bytes: () => gzipSync(gzipSync(Buffer.alloc(2 ** 24, 'a.example\n'))),
    category: 'games',
    limits: { entries: 100, bytes: 2 ** 20 },
  },
  {
    name: 'gzip in gzip in gzip',
    says: /it is a file compressed many times/,
    bytes: () => gzipSync(gzipSync(gzipSync('a.example\n'))),
    category: 'games',
  },
  {
    name: 'a truncated archive',
    says: /damaged archive/,
    bytes: async () =>
      (await archiveBytes([...good, { name: 'blacklists/vpn/domains', content: noise }])).subarray(
        0,
        -3_000,
      ),
  },
  {
    name: 'an archive cut in its last bytes',
    says: /damaged archive/,
    bytes: async () => (await archiveBytes(good)).subarray(0, -4),
  },
  {
    name: 'an archive with a changed byte',
    says: /damaged archive/,
    bytes: async () => {
      const bytes = await archiveBytes([
        ...good,
        { name: 'blacklists/vpn/domains', content: noise },
      ])
      bytes[Math.floor(bytes.length / 2)]! ^= 0xff
      return bytes
    },
  },
  {
    name: 'gzip that ends at once',
    says: /it is a damaged compressed file/,
    bytes: () => gzipSync('a.example\n'.repeat(200)).subarray(0, 10),
  },
  {
    name: 'a text in gzip that is cut',
    says: /damaged archive/,
    bytes: () => gzipSync(noise).subarray(0, -50),
    category: 'games',
  },
  { name: 'an empty archive', says: /it is a binary file/, bytes: () => archiveBytes([]) },
  {
    name: 'an archive without any known category',
    says: /no category/,
    bytes: () => archiveBytes(ut1Entries({ unheard_of: 'x.example\n' })),
  },
  {
    name: 'an archive of empty categories',
    says: /no domain/,
    bytes: () => archiveBytes(ut1Entries({ games: '', ai: '# none\n' })),
  },
  {
    name: 'an archive of error pages',
    says: /no domains \(line 1: "<html>"\)/,
    bytes: () => archiveBytes(ut1Entries({ games: '<html>\n<body>\n404\n' })),
  },
  {
    name: 'an HTML page instead of a list',
    says: /it is an HTML page/,
    bytes: () =>
      Buffer.from(
        '<!doctype html>\n<html>\n<title>404</title>\n<p>Not found\nexample.com\n</html>\n',
      ),
  },
  {
    name: 'a binary file instead of a list',
    says: /it is a binary file/,
    // Of 512 random bytes none is zero one time in seven, and then it could as well be text.
    bytes: () => Buffer.concat([Buffer.alloc(1), randomBytes(200_000)]),
  },
  {
    name: 'one endless line',
    category: 'games',
    says: /no domains/,
    bytes: () => Buffer.alloc(5_000_000, 'a.example,'),
  },
  {
    name: 'an empty file',
    category: 'games',
    says: /no domain in it/,
    bytes: () => Buffer.alloc(0),
  },
  {
    name: 'a file of comments',
    category: 'games',
    says: /no domain in it/,
    bytes: () => Buffer.from('# one\n# two\n'),
  },
  {
    name: 'a list of the whole web',
    category: 'games',
    says: /no domains/,
    bytes: () => Buffer.from('.\n*\ncom\nfr\n'),
  },
  {
    name: 'a file over the limit',
    category: 'games',
    says: /more than 1000 bytes/,
    bytes: () => noise,
    limits: { entries: 10, bytes: 1_000 },
  },
]

const now = DAY * 20_000
const folder = t.testdir()
const dataDir = join(folder, 'data')
const before = join(folder, 'before.tar.gz')
writeFileSync(before, await archiveBytes(ut1Entries({ games: 'before.example\n' })))
const { version: document } = await importList({
  dataDir,
  current: undefined,
  path: before,
  catalogue,
  now,
})
const files = readdirSync(join(dataDir, 'lists'))
const path = join(folder, 'hostile')

for (const { name, bytes, says, category, limits } of CASES) {
  t.test(`${name} is refused whole, and the list before goes on`, async t => {
    writeFileSync(path, await bytes())
    const attempt = importList({
      dataDir,
      current: document,
      path,
      catalogue,
      now: now + DAY,
      ...(category === undefined ? {} : { category }),
      ...(limits === undefined ? {} : { limits }),
    })
    const error = (await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    )) as PreauError | undefined
    t.equal(error?.code, 'PREAU_LIST_REFUSED')
    t.match(error?.text('en'), says)
    t.equal(error?.params['file'], path)
    t.same(readdirSync(join(dataDir, 'lists')), files, 'no file is left, none is gone')
    const { lookup } = await openCategoryIndex(indexFile(dataDir, document), { cacheEntries: 0 })
    t.same(lookup('before.example' as Host), ['games'])
  })
}
