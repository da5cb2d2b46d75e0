import t from 'tap'
import * as fc from 'fast-check'
import { LastChunk } from '../../src/proxy/last-chunk.ts'

t.test('the last chunk is found behind data that looks like one, whatever the pieces', async () => {
  const data = fc.array(fc.constantFrom('0\r\n\r\n', '0\r\n', '\r\n', 'a', '5', ';'), {
    minLength: 1,
  })
  const extension = fc.constantFrom('', ';x', ';x="0"', ' ', `;${'x'.repeat(40)}`)
  const chunk = fc.tuple(data, extension).map(([parts, more]) => {
    const text = parts.join('')
    return `${text.length.toString(16)}${more}\r\n${text}\r\n`
  })
  const last = fc.tuple(fc.constantFrom('0', '00', '0000'), extension).map(parts => parts.join(''))
  const trailers = fc.constantFrom('\r\n', 'X: 0\r\n\r\n', '\r\n0\r\n\r\n')
  fc.assert(
    fc.property(fc.array(chunk), last, trailers, fc.integer({ min: 1, max: 50 }), (...given) => {
      const [chunks, zero, rest, size] = given
      const body = `${chunks.join('')}${zero}\r\n`
      const bytes = Buffer.from(body + rest)
      const reader = new LastChunk()
      for (let at = 0; at < bytes.length; at += size) {
        const end = reader.endIn(bytes.subarray(at, at + size))
        if (end !== undefined) return at + end === body.length
      }
      return false
    }),
    { numRuns: 3_000 },
  )
})

t.test('a line that never ends, or says no size, is nothing', async t => {
  const reader = new LastChunk()
  for (let i = 0; i < 1_000; i++) reader.endIn(Buffer.alloc(1_000, 'z'))
  t.equal(reader.endIn(Buffer.from('\r\n0\r\n')), undefined)
  t.equal(new LastChunk().endIn(Buffer.from('zz\r\n0\r\n')), undefined)
})
