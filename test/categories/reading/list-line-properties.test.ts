/** Lists come from outside: no line, however it is written, yields a host that does not stand in it, or makes the reader slow. */
import t from 'tap'
import * as fc from 'fast-check'
import { parseListLine } from '../../../src/categories/reading/list-line.ts'
import { parseUrlLine } from '../../../src/categories/reading/url-line.ts'
import { isAddress } from '../../../src/policy/host.ts'

const label = fc.stringMatching(/^[a-z0-9_-]{1,8}$/)
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map(labels => labels.join('.'))
const WORDS =
  'address=/|server=/|local=/|address /|local-zone: "|" always_null|local-data: "| A 0.0.0.0"| CNAME .| CNAME rpz-passthru.|zone "|" { type master|DOMAIN-SUFFIX,|,REJECT|,DIRECT|- |+.|*.|@@|^$all|^$popup|^|0.0.0.0 |0.0.0.0|127.1 |::1 |10.0.0.1 |#| # |; |//|/|!|[|]|"|\'| |\t|.|,|:80|http://|$TTL'
const piece = fc.oneof(name, fc.constantFrom(...WORDS.split('|'), '||', '|'), fc.string())
const line = fc.array(piece, { minLength: 1, maxLength: 7 }).map(pieces => pieces.join(''))

t.test('a host that a line yields stands in the line, on the boundaries of a name', async t => {
  let hosts = 0
  fc.assert(
    fc.property(line, text => {
      const parsed = parseListLine(text)
      if (parsed.kind !== 'hosts') return
      const folded = text.toLowerCase()
      for (const host of parsed.hosts) {
        // IPv6 has one spelling of many, and other letters become A-labels.
        if (isAddress(host) || host.includes('xn--')) continue
        hosts++
        const at = folded.indexOf(host)
        if (at === -1) throw new Error(`${host} does not stand in ${JSON.stringify(text)}`)
        const all = [...folded.matchAll(new RegExp(RegExp.escape(host), 'g'))]
        const isWhole = all.some(({ index }) => {
          const [before, after] = [folded[index - 1] ?? '', folded[index + host.length] ?? '']
          return !/[a-z0-9_-]/.test(before) && !/[a-z0-9_-]/.test(after)
        })
        if (!isWhole) throw new Error(`${host} is a part of a name in ${JSON.stringify(text)}`)
      }
    }),
    { numRuns: 20_000 },
  )
  t.ok(hosts > 1_000, `${hosts} hosts were looked at`)
})

t.test('an exception, and a name that leads somewhere, yields no host', async () => {
  const forms: ((host: string) => string)[] = [
    host => `@@||${host}^`,
    host => `server=/${host}/#`,
    host => `${host} CNAME rpz-passthru.`,
    host => `local-zone: "${host}" transparent`,
    host => `DOMAIN-SUFFIX,${host},DIRECT`,
    host => `192.0.2.7 ${host}`,
  ]
  fc.assert(
    fc.property(name, fc.constantFrom(...forms), (host, form) => {
      const { kind } = parseListLine(form(`a${host}.example`))
      if (kind === 'hosts') throw new Error(form(host))
    }),
    { numRuns: 2_000 },
  )
})

t.test('a line of a megabyte made of one piece is read in no time', async t => {
  const pieces = [
    ...WORDS.split('|'),
    '||',
    'a',
    'a.',
    '-',
    '1',
    '(',
    '=/',
    '^$a,',
    '%3A',
    'é',
    '\u0000',
  ]
  for (const text of pieces.filter(piece => piece !== '')) {
    const long = text.repeat(2 ** 20 / text.length)
    for (const parse of [parseListLine, parseUrlLine]) {
      for (const tried of [long, `||${long}`, `a.example ${long}`, `${long} x`]) {
        const startedAt = performance.now()
        parse(tried)
        const elapsedMs = performance.now() - startedAt
        if (elapsedMs > 3_000) t.fail(`${parse.name} of ${JSON.stringify(text)}: ${elapsedMs} ms`)
      }
    }
  }
})
