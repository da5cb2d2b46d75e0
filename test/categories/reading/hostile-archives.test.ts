/** Archives whose headers lie: each is refused whole, its entry or damage named, and the lists folder stays as it was. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import t from 'tap'
import { loadCatalogue } from '../../../src/categories/catalogue.ts'
import { importList } from '../../../src/categories/lists.ts'
import { Unpacking } from '../../../src/categories/reading/unpacking.ts'
import type { PreauError } from '../../../src/errors.ts'
import { archiveBytes, ut1Entries } from '../fixtures/archive.ts'
import { paxRecord, rawArchive, type RawEntry } from '../fixtures/raw-tar.ts'

const catalogue = loadCatalogue()
const DAY = 86_400_000
const now = DAY * 20_000
const games: RawEntry = { name: 'blacklists/games/domains', content: 'play.example\n' }
const ai: RawEntry = { name: 'blacklists/ai/domains', content: 'bot.example\n' }

const pax = (key: string, value: string): RawEntry => ({
  name: 'PaxHeader',
  type: 'x',
  content: paxRecord(key, value),
})
const gnuLongName = (name: string, type: 'L' | 'K' = 'L'): RawEntry => ({
  name: '././@LongLink',
  type,
  content: `${name}\0`,
})

const HOSTILE: readonly (readonly [name: string, says: RegExp, entries: readonly RawEntry[]])[] = [
  [
    'a PAX name that climbs',
    /"\.\.\/\.\.\/games\/domains"/,
    [pax('path', '../../games/domains'), games],
  ],
  ['an absolute PAX name', /"\/etc\/cron\.d\/x"/, [pax('path', '/etc/cron.d/x'), games]],
  ['a PAX name of two lines', /"games\\nai\/domains"/, [pax('path', 'games\nai/domains'), games]],
  [
    'a PAX link that leaves the tree',
    /"blacklists\/ads": a link that leaves/,
    [pax('linkpath', '../../../etc'), { name: 'blacklists/ads', type: '2', link: 'publicite' }, ai],
  ],
  ['a PAX size that is none', /damaged archive/, [games, pax('size', 'many'), ai]],
  ['a negative PAX size', /damaged archive/, [games, pax('size', '-512'), ai]],
  [
    'a PAX size beyond the archive',
    /"blacklists\/ai\/domains": it is not text|damaged archive/,
    [pax('size', '9999999999'), ai, games],
  ],
  [
    'a GNU long name that climbs',
    /"x\/\.\.\/\.\.\/\.\.\/y/,
    [gnuLongName(`x/../../../${'y'.repeat(150)}`), games],
  ],
  [
    'a GNU name without end',
    /path leaves the folder/,
    [gnuLongName(`games/${'y'.repeat(5_000)}`), games],
  ],
  [
    'a GNU long link that leaves the tree',
    /"blacklists\/ads": a link that leaves/,
    [gnuLongName(`/etc/${'y'.repeat(150)}`, 'K'), { name: 'blacklists/ads', type: '2', link: 'x' }],
  ],
  [
    'a header that claims a gigabyte of names',
    /damaged archive/,
    [
      games,
      { name: 'PaxHeader', type: 'x', size: '07777777777\0', content: 'x'.repeat(5_000) },
      ai,
    ],
  ],
  [
    'a size that swallows the next entry',
    /"blacklists\/games\/domains": it is not text/,
    [{ ...games, size: '00000002000\0' }, ai, { name: 'blacklists/x/usage', content: 'black' }],
  ],
  [
    'a size beyond the end',
    /it is not text|damaged archive/,
    [games, { ...ai, size: '00077777777\0' }],
  ],
  [
    'a size smaller than the content',
    /damaged archive/,
    [{ ...games, content: 'play.example\n'.repeat(100), size: '00000000001\0' }, ai],
  ],
  ['a negative size', /damaged archive/, [games, { ...ai, size: Buffer.alloc(12, 0xff) }]],
  [
    'a size of more than a number holds',
    /damaged archive|not text|unpacked/,
    [games, { ...ai, size: Buffer.from([0x80, ...Array<number>(11).fill(0x7f)]) }],
  ],
  ['a damaged header', /damaged archive/, [games, { ...ai, checksum: '000001\0 ' }]],
  [
    'an entry of no known kind',
    /"blacklists\/ai\/domains": not an ordinary file/,
    [games, { ...ai, type: 'Z' }],
  ],
  [
    'a block device',
    /"blacklists\/sda": not an ordinary file \(block-device\)/,
    [games, { name: 'blacklists/sda', type: '4' }],
  ],
  ['a name with a null byte', /"a\\u0000b\/domains"/, [pax('path', 'a\0b/domains'), games]],
  [
    'binary content in a list',
    /"blacklists\/ai\/domains": it is not text/,
    [games, { ...ai, content: Buffer.from([1, 0, 2]) }],
  ],
  [
    'a usage file without end',
    /"blacklists\/games\/usage": more than 65536 bytes/,
    [games, { name: 'blacklists/games/usage', content: 'black\n'.repeat(20_000) }],
  ],
  [
    'a global_usage without end',
    /"blacklists\/global_usage": more than 1048576 bytes/,
    [games, { name: 'blacklists/global_usage', content: 'NAME: x\n'.repeat(200_000) }],
  ],
]

const folder = t.testdir()
const dataDir = join(folder, 'data')
const path = join(folder, 'hostile')
writeFileSync(path, await archiveBytes(ut1Entries({ games: 'before.example\n' })))
const { version } = await importList({ dataDir, current: undefined, path, catalogue, now })
const listed = (): Set<string> =>
  new Set(readdirSync(join(dataDir, 'lists'), { recursive: true, encoding: 'utf8' }))
const files = listed()

for (const [name, says, entries] of HOSTILE) {
  t.test(`${name} makes an archive be refused whole`, async t => {
    writeFileSync(path, rawArchive(entries))
    const error = await importList({ dataDir, current: version, path, catalogue, now: now + DAY })
      .then(() => undefined)
      .catch((reason: unknown) => reason as PreauError)
    t.equal(error?.code, 'PREAU_LIST_REFUSED')
    t.match(error?.text('en'), says)
    t.same(listed(), files, 'no file is left, none is gone')
  })
}

t.test('honest long names, and the same entries told truly, are read', async t => {
  const long = `blacklists/${'y'.repeat(150)}/domains`
  const entries = [games, pax('path', long), ai, gnuLongName(`blacklists/vpn/domains`), ai]
  writeFileSync(path, rawArchive(entries))
  const { report } = await importList({
    dataDir,
    current: version,
    path,
    catalogue,
    now: now + DAY,
  })
  t.match(report, { counts: { games: 1, vpn: 1 }, unknown: { ['y'.repeat(150)]: 1 } })
})

// Found by `npm run fuzz -- --target archive`: the folder could not be removed, and that was the error which was told.
t.test('once a damaged entry has been refused, no file of it appears any more', async t => {
  const kept = join(folder, 'kept')
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('play.example\n')
    throw new Error('damaged')
  }
  for (let round = 0; round < 30; round++) {
    mkdirSync(join(kept, String(round)), { recursive: true })
    const into = new Unpacking('x', join(kept, String(round)), catalogue)
    await t.rejects(into.keep('games', broken()), { message: 'damaged' })
    const then = readdirSync(join(kept, String(round)))
    await elapsed(2)
    t.same(readdirSync(join(kept, String(round))), then)
  }
})
