/** The head of an answer is mended in one way only, whichever of the two readers looks at it, and at a bounded cost. */
import t from 'tap'
import * as fc from 'fast-check'
import { endOfCleanHead, mendHead } from '../../src/proxy/answer-head.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Status and fields, without the blanks that stand around a value or before a reason. */
function meaningOf(head: string): string[] {
  const [status = '', ...lines] = head.split('\r\n')
  return [
    status.replace(/^(\S+ \d{3})[ \t]*/, '$1 '),
    ...lines.map(line => line.replace(/:[ \t]*(.*?)[ \t]*$/, ':$1')),
  ]
}

const PIECES = [
  ['a', 'X', ':', ' ', '\t', '\r', '\n', '\r\n', '\r\n ', '\r\n\r\n', '\0', '\x01', '\x7f', '\xa0'],
  [',', '6', ';', '-', 'identity', 'HTTP/1.1 200 OK', 'Set-Cookie: a=1', 'content-length:6'],
  ['Content-Length: 6', 'Transfer-Encoding: chunked', 'Transfer-Encoding: x'],
].flat()
const piece = fc.constantFrom(...PIECES)
const start = fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.0 404', 'HTTP/1.1 103 x', 'ICY 200 OK', '')
const heads = fc
  .tuple(start, fc.array(piece, { maxLength: 25 }), fc.constantFrom('\r\n\r\n', '\n\n', ''))
  .map(([first, pieces, end]) => `${first}${pieces.join('')}${end}`)

t.test('what is taken as it stands means what it would mean if it were mended', async t => {
  fc.assert(
    fc.property(heads, text => {
      const bytes = bytesOf(text)
      const end = endOfCleanHead(bytes)
      if (end === 0) return
      const mended = mendHead(bytes)
      if (typeof mended !== 'object') throw new Error(mended)
      t.equal(mended.length, end)
      t.ok(mended.isFinal)
      t.strictSame(meaningOf(mended.text), meaningOf(text.slice(0, end)))
    }),
    { numRuns: 20_000 },
  )
})

t.test('what was mended is in order, and mending it again changes nothing', async () => {
  fc.assert(
    fc.property(heads, text => {
      const mended = mendHead(bytesOf(text))
      if (typeof mended !== 'object') return
      const again = mendHead(bytesOf(mended.text))
      if (typeof again !== 'object' || again.text !== mended.text) throw new Error(mended.text)
      // Only whole lines, and no other end than the last.
      if (/[^\r]\n|\r[^\n]|\0/.test(mended.text)) throw new Error('a stray control')
      if (mended.text.indexOf('\r\n\r\n') !== mended.text.length - 4) throw new Error('two ends')
    }),
    { numRuns: 20_000 },
  )
})

t.test('of a head that is not whole nothing is said, wherever it is cut', async t => {
  for (const head of [
    'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX: a\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 6\nX : a\n b\n\n',
    'ICY 200 OK\r\nicy-name: x\r\n\r\n',
  ])
    for (let length = 0; length < head.length; length++) {
      const cut = bytesOf(head.slice(0, length))
      t.equal(endOfCleanHead(cut), 0)
      t.equal(mendHead(cut), 'more', JSON.stringify(head.slice(0, length)))
    }
})

t.test('what begins as no answer does is told at once', async t => {
  for (const text of ['RTSP', 'ht+', '<html>', 'SSH-2.0-x\r\n', '\0', 'ICE/1.0', 'x'])
    t.equal(mendHead(bytesOf(text)), 'bad', text)
})

t.test('a large head costs what its bytes cost', async t => {
  const size = 65_000
  for (const filler of [
    ' ',
    '\t',
    '\r',
    '\n ',
    ',',
    '6,',
    ':',
    '\x01',
    'a:\n',
    '\r\r\n',
    'Content-Length:6\n',
    ' :\n',
  ]) {
    const head = bytesOf(`HTTP/1.1 200 OK\r\nX: a${filler.repeat(size / filler.length)}b\r\n\r\n`)
    const from = process.cpuUsage()
    endOfCleanHead(head)
    mendHead(head)
    const { user } = process.cpuUsage(from)
    t.ok(user < 300_000, `${JSON.stringify(filler)}: ${user} µs`)
  }
})
