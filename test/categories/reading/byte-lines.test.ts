import * as fc from 'fast-check'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostKey, keyOfBytes } from '../../../src/categories/index/host-key.ts'
import { MAX_LINE_LENGTH, readByteLines } from '../../../src/categories/reading/byte-lines.ts'
import { parseListLine } from '../../../src/categories/reading/list-line.ts'

interface Line {
  readonly text: string
  readonly number: number
  readonly isTooLong: boolean
}

async function linesOf(t: Test, content: string | Buffer): Promise<Line[]> {
  const file = join(t.testdir(), 'list.txt')
  writeFileSync(file, content)
  const lines: Line[] = []
  await readByteLines(file, (bytes, start, end, number, isTooLong) =>
    lines.push({ text: bytes.toString('utf8', start, end), number, isTooLong }),
  )
  return lines
}

t.test('lines are numbered from 1, with or without a line feed at the end', async t => {
  const expected = [
    { text: 'a', number: 1, isTooLong: false },
    { text: '', number: 2, isTooLong: false },
    { text: 'é', number: 3, isTooLong: false },
  ]
  t.same(await linesOf(t, 'a\n\né\n'), expected)
  t.same(await linesOf(t, 'a\r\n\r\né'), expected)
  t.same(await linesOf(t, ''), [])
})

t.test('a line that crosses the border of a chunk is whole', async t => {
  const line = 'abcdefghij.example'
  const content = `${line}\n`.repeat(150_000)
  const lines = await linesOf(t, content)
  t.equal(lines.length, 150_000)
  t.ok(
    lines.every(
      ({ text, isTooLong }, i) => text === line && !isTooLong && lines[i]?.number === i + 1,
    ),
  )
})

t.test('a line of any length is cut and told, and the next one is right', async t => {
  for (const length of [MAX_LINE_LENGTH + 1, 2 ** 20, 3 * 2 ** 20 + 7]) {
    const lines = await linesOf(t, `${'x'.repeat(length)}\nnext.example\n`)
    t.same(lines[0], { text: 'x'.repeat(MAX_LINE_LENGTH), number: 1, isTooLong: true })
    t.same(lines[1], { text: 'next.example', number: 2, isTooLong: false })
  }
  const [longest] = await linesOf(t, 'x'.repeat(MAX_LINE_LENGTH))
  t.equal(longest?.isTooLong, false)
})

t.test('a file that is not there is named', async t =>
  t.rejects(
    readByteLines(join(t.testdir(), 'none'), () => {}),
    { code: 'PREAU_FILE_UNREADABLE' },
  ),
)

t.test(
  'the quick reading of bytes says what the parser says, or leaves it to the parser',
  async t => {
    const piece = fc.constantFrom(
      'a',
      'b1',
      '-',
      '_',
      '.',
      '..',
      '0',
      '9',
      'x',
      'xn--p1ai',
      ' ',
      '#',
      '/',
      ':',
      '*',
      'É',
      'A',
      'com',
      'example',
      '0x7f',
      '127',
      '||',
      '^',
      'a'.repeat(63),
      'b'.repeat(64),
    )
    const line = fc.array(piece, { maxLength: 12 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(line, text => {
        const bytes = Buffer.from(`zz${text}zz`)
        const key = keyOfBytes(bytes, 2, bytes.length - 2)
        if (key === undefined) return true
        const { high, low } = key
        const parsed = parseListLine(text)
        if (parsed.kind !== 'hosts' || parsed.hosts.length !== 1) return false
        const [host] = parsed.hosts
        if (host !== text) return false
        const own = hostKey(host)
        return own.high === high && own.low === low
      }),
      { numRuns: 20_000 },
    )
    t.ok(keyOfBytes(Buffer.from('www.example.com'), 0, 15), 'a plain name is read quickly')
    t.ok(keyOfBytes(Buffer.from('w-w-i-s-.com'), 0, 12), 'and so is one with hyphens at an end')
    t.end()
  },
)
