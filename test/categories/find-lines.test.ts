import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { findLines, type FoundLine } from '../../src/categories/find-lines.ts'

const file = join(t.testdir(), 'domains')

async function found(content: string | Uint8Array, word: string): Promise<FoundLine[]> {
  writeFileSync(file, content)
  const lines: FoundLine[] = []
  await findLines(file, word, line => lines.push(line) > 0)
  return lines
}

t.test('a host is found as a whole or under a sub-domain, with its line number', async t => {
  const text = [
    'x.fr',
    'my-x.fr',
    'a.x.fr',
    'x.fr.com',
    'x.france',
    '*.x.fr\r',
    '||x.fr^',
    '0.0.0.0 x.fr y.fr # x.fr',
    'X.fr',
    'x_x.fr',
    'x.fr/page',
    'x.fr',
  ]
  const lines = await found(text.join('\n'), 'x.fr')
  t.same(
    lines.map(({ number }) => number),
    [1, 3, 6, 7, 8, 11, 12],
  )
  t.ok(lines.every(({ number, text: line }) => line === text[number - 1]))
  t.same(await found('', 'x.fr'), [])
  t.same(await found('\n\n\nx.fr\n', 'x.fr'), [{ number: 4, text: 'x.fr' }])
})

t.test(
  'whatever stands in a file, each line is found with its number, as reading them all would',
  async () => {
    const name = fc.constantFrom('x.fr', 'a.x.fr', 'yx.fr', 'é.example', '', 'x', 'z'.repeat(700))
    const lines = fc.array(name, { maxLength: 3_000, size: 'max' })
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), async (names, ends) => {
        const expected = names.flatMap((text, at) =>
          text === 'x.fr' || text === 'a.x.fr' ? [{ number: at + 1, text }] : [],
        )
        const actual = await found(names.join('\n') + (ends ? '\n' : ''), 'x.fr')
        return JSON.stringify(actual) === JSON.stringify(expected)
      }),
      { numRuns: 60 },
    )
  },
)

t.test('a line without end is passed over, whatever part of it holds the word', async t => {
  for (const size of [2_100, 1_048_570, 1_048_576, 1_049_600, 3_000_000]) {
    const long = Buffer.alloc(size, 'y ')
    for (const at of [0, 1_000, size - 10]) long.write(' x.fr ', at)
    const lines = await found(
      Buffer.concat([Buffer.from('x.fr\n'), long, Buffer.from('\nx.fr')]),
      'x.fr',
    )
    t.same(
      lines.map(({ number }) => number),
      [1, 3],
      `${size} bytes`,
    )
  }
})

t.test('a search ends when no more is wanted, and a file that is gone is named', async t => {
  writeFileSync(file, 'x.fr\n'.repeat(500_000))
  let seen = 0
  await findLines(file, 'x.fr', () => ++seen < 3)
  t.equal(seen, 3)
  const missing = findLines(`${file}.gone`, 'x.fr', () => true)
  await t.rejects(missing, { code: 'PREAU_FILE_UNREADABLE', message: /domains\.gone/ })
})
