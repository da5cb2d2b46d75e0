import t from 'tap'
import * as fc from 'fast-check'
import { normalPath } from '../../src/policy/page-path.ts'

const rows: Record<string, string> = {
  '/jeux': '/jeux',
  '/': '/',
  '//': '/',
  '/%6Aeux': '/jeux',
  '/%6a%65ux': '/jeux',
  '//jeux': '/jeux',
  '/./jeux': '/jeux',
  '/x/../jeux': '/jeux',
  '/x/%2e%2E/jeux': '/jeux',
  '/x//../jeux': '/jeux',
  '/../../jeux': '/jeux',
  '/jeux/.': '/jeux/',
  '/jeux/x/..': '/jeux/',
  '/jeux/': '/jeux/',
  '/.well-known/x': '/.well-known/x',
  '/a..b/...': '/a..b/...',
  // What is reserved keeps its meaning, written in capitals.
  '/a%2fb': '/a%2Fb',
  '/a%3fb%23': '/a%3Fb%23',
  // An escaped percent sign is no escape.
  '/%256Aeux': '/%256Aeux',
  '/%%36Aeux': '/%256Aeux',
  '/100%': '/100%25',
  '/a b': '/a%20b',
  '/"<>`{|}\\^': '/%22%3C%3E%60%7B%7C%7D%5C%5E',
  '/%7Ea/%41%2D%5F': '/~a/A-_',
  // The bytes of UTF-8 as they come in a request, and the letter as a list has it.
  '/\u00c3\u00a9t\u00c3\u00a9': '/%C3%A9t%C3%A9',
  '/œ': '/%C5%93',
  '/p?a=//x/../y': '/p?a=//x/../y',
  '/p//q?u=%68ttp%3a': '/p/q?u=http%3A',
}
for (const [path, form] of Object.entries(rows))
  t.test(`${path} is compared as ${form}`, async t => t.equal(normalPath(path), form))

t.test(
  'the form of a form is itself, and holds nothing that could be written otherwise',
  async () => {
    const pieces = fc.constantFrom(
      ...'/|.|..|%|%2e|%2F|%6A|%25|a|é|?|//|"| |\\|%C3%A9|&|='.split('|'),
    )
    const path = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 })
    fc.assert(
      fc.property(path, parts => {
        const form = normalPath(`/${parts.join('')}`)
        if (normalPath(form) !== form) throw new Error(`${form} -> ${normalPath(form)}`)
        const before = form.split('?')[0] ?? ''
        if (!/^\/[\x21-\x7e]*$/.test(form) || /\/\/|\/\.{1,2}(?:\/|$)/.test(before))
          throw new Error(`left in ${form}`)
      }),
      { numRuns: 5_000 },
    )
  },
)
