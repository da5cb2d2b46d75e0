import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { sourceKind } from '../../../src/categories/reading/source-kind.ts'
import { archiveBytes } from '../fixtures/archive.ts'

const folder = t.testdir({ tree: { games: { domains: 'a.example' } } })
const file = (content: string | Uint8Array): string => {
  const path = join(folder, 'download')
  writeFileSync(path, content)
  return path
}
const SOURCE = 'https://lists.example/list'

t.test('what a path holds is told by its bytes', async t => {
  t.equal(await sourceKind(file(gzipSync('x')), 'auto', SOURCE), 'archive')
  t.equal(await sourceKind(file('a.example\n'), 'auto', SOURCE), 'file')
  t.equal(await sourceKind(file('\uFEFF# liste\n'), 'auto', SOURCE), 'file')
  t.equal(await sourceKind(file(''), 'auto', SOURCE), 'file')
  t.equal(await sourceKind(join(folder, 'tree'), 'auto', SOURCE), 'folder')
  t.equal(await sourceKind(join(folder, 'tree'), 'archive', SOURCE), 'folder')
  t.equal(await sourceKind(file(gzipSync('x')), 'archive', SOURCE), 'archive')
  t.equal(await sourceKind(file('a.example'), 'lines', SOURCE), 'file')
})

t.test('what is not of the format that was asked for is refused, saying what it is', async t => {
  const tar = gunzipSync(await archiveBytes([{ name: 'games/domains', content: 'a.example' }]))
  const refusals: [string | Uint8Array, 'archive' | 'lines' | 'auto', RegExp][] = [
    ['a.example\n', 'archive', /it is a text file; a tar\.gz archive is expected/],
    ['', 'archive', /it is an empty file/],
    [gzipSync('x'), 'lines', /it is a compressed archive; a list as text is expected/],
    ['<!DOCTYPE html><title>Connexion</title>', 'lines', /it is an HTML page/],
    ['\n  <html>', 'archive', /it is an HTML page/],
    ['\uFEFF<HTML lang=fr>', 'auto', /it is an HTML page/],
    [Buffer.from('504b0304aa', 'hex'), 'auto', /it is a zip archive/],
    [Buffer.from('fd377a585a0000', 'hex'), 'auto', /it is an xz archive/],
    [Buffer.from('BZh91AY'), 'auto', /it is a bzip2 archive/],
    [tar, 'auto', /it is a tar archive without gzip/],
    [Buffer.from([7, 0, 7]), 'auto', /it is a binary file/],
  ]
  for (const [content, format, message] of refusals) {
    const refusal = { code: 'PREAU_LIST_REFUSED', message }
    await t.rejects(sourceKind(file(content), format, SOURCE), refusal, String(message))
  }
  await t.rejects(sourceKind(file('<html>'), 'auto', SOURCE), { message: /lists\.example/ })
})

t.test('a device, a pipe or nothing at all is told before it is opened', async t => {
  const link = join(folder, 'zero')
  symlinkSync('/dev/zero', link)
  await t.rejects(sourceKind(link, 'auto', link), { message: /it is a special file/ })
  const missing = join(folder, 'missing')
  await t.rejects(sourceKind(missing, 'auto', missing), { code: 'PREAU_FILE_UNREADABLE' })
  await t.rejects(sourceKind(join(folder, 'tree'), 'lines', 'x'), { message: /it is a folder/ })
})
