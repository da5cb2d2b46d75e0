/** UT1 publishes the MD5 sums of its archives beside them: another archive than the announced one is not taken. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { configSchema } from '../../src/config.ts'
import { checkChecksum, publishedSum } from '../../src/updates/checksum.ts'
import { DIAL, serveHttp } from './source-server.ts'

const BYTES = Buffer.from('an archive')
const SUM = createHash('md5').update(BYTES).digest('hex')
const OTHER = '0'.repeat(32)

async function check(
  t: Test,
  published: string | undefined,
  { bytes = BYTES, path = '/blacklists/download/blacklists.tar.gz' } = {},
) {
  const asked: string[] = []
  const origin = await serveHttp(t, (request, response) => {
    asked.push(request.url ?? '')
    if (published === undefined) response.writeHead(404).end()
    else response.end(published)
  })
  const folder = t.testdir()
  const file = join(folder, 'blacklists.tar.gz')
  writeFileSync(file, bytes)
  const options = {
    maxBytes: 1_000,
    timeoutMs: 5_000,
    parentProxy: null,
    parents: configSchema.parse({}).parents,
    dial: DIAL,
    maxHeaderBytes: 65_536,
  }
  return { asked, found: checkChecksum({ url: `${origin}${path}`, file, folder }, options) }
}

t.test('an archive with the announced sum is right', async t => {
  const { found, asked } = await check(t, `${OTHER}  adult.tar.gz\n${SUM}  blacklists.tar.gz\n`)
  t.equal(await found, 'right')
  t.same(asked, ['/blacklists/download/MD5SUM.LST'])
})

t.test('so is one that the server has compressed once more on the way', async t =>
  t.equal(
    await (
      await check(t, `${SUM}  blacklists.tar.gz\n`, { bytes: gzipSync(BYTES) })
    ).found,
    'right',
  ),
)

t.test('another one is refused, in words', async t => {
  const { found } = await check(t, `${OTHER}  blacklists.tar.gz\n`)
  await t.rejects(found, {
    code: 'PREAU_DOWNLOAD_FAILED',
    params: { detail: { fr: /^ce n’est pas le fichier que la source annonce \(MD5 0+\)$/ } },
  })
})

t.test('where no sum is published for it, that is told', async t => {
  t.equal(await (await check(t, undefined)).found, 'absent')
  t.equal(await (await check(t, `${SUM}  other.tar.gz\n`)).found, 'absent')
  t.equal(await (await check(t, '<html>not here</html>')).found, 'absent')
  t.equal(await (await check(t, 'x'.repeat(2 ** 21))).found, 'absent', 'one without end is none')
})

t.test('a source that is no mirror of UT1 is not asked for sums', async t => {
  const { found, asked } = await check(t, undefined, { path: '/lists/games.txt' })
  t.equal(await found, undefined)
  t.same(asked, [])
})

t.test('sums are read as the usual programs write them', async t => {
  for (const line of [
    `${SUM}  a.tar.gz`,
    `${SUM} *a.tar.gz\r`,
    `${SUM.toUpperCase()}  ./download/a.tar.gz`,
    `MD5 (a.tar.gz) = ${SUM}`,
  ])
    t.equal(publishedSum(`# sums\n${line}\n`, 'a.tar.gz'), SUM, line)
  t.equal(publishedSum(`${SUM}  aa.tar.gz\n${SUM.slice(1)}  a.tar.gz\n`, 'a.tar.gz'), undefined)
})
