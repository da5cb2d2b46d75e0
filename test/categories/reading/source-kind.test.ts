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

const tarOf = async (): Promise<Buffer> =>
  gunzipSync(await archiveBytes([{ name: 'games/domains', content: 'a.example' }]))

t.test('what a path holds is told by its bytes, inside of gzip too', async t => {
  const tar = await tarOf()
  const utf16 = Buffer.from('\uFEFFa.example\n', 'utf16le')
  const rows: [string | Uint8Array, 'auto' | 'archive' | 'lines', string, number][] = [
    ['a.example\n', 'auto', 'file', 0],
    ['\uFEFF# liste\n', 'auto', 'file', 0],
    ['', 'auto', 'file', 0],
    ['a.example', 'lines', 'file', 0],
    [utf16, 'auto', 'file', 0],
    [Buffer.from(utf16).swap16(), 'lines', 'file', 0],
    [gzipSync('a.example\n'), 'auto', 'file', 1],
    [gzipSync(''), 'auto', 'file', 1],
    [gzipSync(gzipSync('a.example\n')), 'lines', 'file', 2],
    [tar, 'auto', 'archive', 0],
    [tar, 'archive', 'archive', 0],
    [gzipSync(tar), 'archive', 'archive', 1],
    [gzipSync(gzipSync(tar)), 'auto', 'archive', 2],
  ]
  for (const [content, format, kind, gzips] of rows)
    t.same(await sourceKind(file(content), format, SOURCE), { kind, gzips }, `${kind} ${gzips}`)
  for (const format of ['auto', 'archive'] as const)
    t.match(await sourceKind(join(folder, 'tree'), format, SOURCE), { kind: 'folder' })
})

t.test('what is not of the format that was asked for is refused, saying what it is', async t => {
  const refusals: [string | Uint8Array, 'archive' | 'lines' | 'auto', RegExp][] = [
    ['a.example\n', 'archive', /it is a text file; a tar archive is expected/],
    [gzipSync('a.example\n'), 'archive', /it is a text file; a tar archive is expected/],
    ['', 'archive', /it is an empty file/],
    [gzipSync(await tarOf()), 'lines', /it is a tar archive; a list as text is expected/],
    ['<!DOCTYPE html><title>Connexion</title>', 'lines', /it is an HTML page/],
    ['\n  <html>', 'archive', /it is an HTML page/],
    ['\uFEFF<HTML lang=fr>', 'auto', /it is an HTML page/],
    [gzipSync('<html>'), 'auto', /it is an HTML page/],
    [Buffer.from('504b0304aa', 'hex'), 'auto', /it is a zip archive/],
    [Buffer.from('fd377a585a0000', 'hex'), 'auto', /it is an xz archive/],
    [Buffer.from('BZh91AY'), 'auto', /it is a bzip2 archive/],
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
