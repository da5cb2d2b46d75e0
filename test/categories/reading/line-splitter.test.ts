import * as fc from 'fast-check'
import t from 'tap'
import {
  LineSplitter,
  MAX_LINE_LENGTH,
  type Line,
} from '../../../src/categories/reading/line-splitter.ts'

function split(chunks: readonly Uint8Array[]): Line[] {
  const lines: Line[] = []
  const splitter = new LineSplitter(line => lines.push(line))
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.end()
  return lines
}

t.test('lines and their numbers are the same however the bytes are cut', async () => {
  const text = fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 20 })
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 7 }), (parts, size) => {
      const bytes = Buffer.from(parts.join('\n'))
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      const expected = bytes.toString().split('\n')
      if (expected.at(-1) === '') expected.pop()
      const lines = split(chunks)
      return (
        lines.length === expected.length &&
        lines.every((line, i) => line.text === expected[i] && line.number === i + 1)
      )
    }),
  )
})

t.test('a line without end is cut, told, and not held in memory', async t => {
  const chunk = Buffer.alloc(65_536, 'x')
  const lines = split([...Array<Buffer>(200).fill(chunk), Buffer.from('\nexample.com')])
  t.equal(lines.length, 2)
  t.equal(lines[0]?.isTooLong, true)
  t.equal(lines[0]?.text.length, MAX_LINE_LENGTH)
  t.same(lines[1], { text: 'example.com', number: 2, isTooLong: false })
})
