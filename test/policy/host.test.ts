import { isIPv4 } from 'node:net'
import t from 'tap'
import * as fc from 'fast-check'
import {
  hostField,
  parseAbsoluteForm,
  parseAuthority,
  parseHost,
  parseHumanHost,
  suffixes,
  type Host,
} from '../../src/policy/host.ts'

t.test('every spelling of a name is judged as the name it reaches', async t => {
  const rows: [string, string | undefined, string][] = [
    ['example.com', 'example.com', 'plain'],
    ['EXAMPLE.Com', 'example.com', 'mixed case'],
    ['example.com.', 'example.com', 'one trailing dot'],
    ['a_b.example.com', 'a_b.example.com', 'an underscore, which real sites use'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'an A-label'],
    ['localhost', 'localhost', 'a single label'],
    ['example.com..', undefined, 'two trailing dots'],
    ['.example.com', undefined, 'a leading dot'],
    ['exa mple.com', undefined, 'a space'],
    ['example.com\0', undefined, 'a NUL'],
    ['ex%61mple.com', undefined, 'a percent sign'],
    ['[example.com]', undefined, 'a name in brackets'],
    ['[[example.com]]', undefined, 'a name in two brackets (smokescreen#158)'],
    ['bücher.example', undefined, 'raw Unicode on the wire'],
    ['example。com', undefined, 'an ideographic full stop'],
    ['-a.example', '-a.example', 'a label that begins with a hyphen'],
    [
      'w-w-i-s-.com',
      'w-w-i-s-.com',
      'one that ends with it, as a line of UT1 (RPiList/specials#695)',
    ],
    ['Photos-.-.Example.', 'photos-.-.example', 'one of a hyphen alone'],
    ['a.-1', 'a.-1', 'a last label that no URL parser takes for a number'],
    ['a-' + 'b'.repeat(62) + '.example', undefined, 'a label of 64 characters, one a hyphen'],
    ['a'.repeat(64) + '.example', undefined, 'a label of 64 characters'],
    ['a.'.repeat(127) + 'abc', undefined, 'a name of more than 253 characters'],
    ['', undefined, 'nothing'],
    ['user@example.com', undefined, 'user information'],
  ]
  for (const [text, expected, why] of rows) t.equal(parseHost(text), expected, why)
})

t.test('an address has one spelling, and the odd ones are refused', async t => {
  const rows: [string, string | undefined][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['127.1', undefined],
    ['2130706433', undefined],
    ['0x7f000001', undefined],
    ['0177.0.0.1', undefined],
    ['0x7f.1', undefined],
    ['0', undefined],
    ['256.1.1.1', undefined],
    ['1.2.3.4.5', undefined],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::ffff:7f00:1]', '127.0.0.1'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['[fe80::1%25lo]', undefined],
    ['[fe80::1%lo]', undefined],
    ['[::1', undefined],
  ]
  for (const [text, expected] of rows) t.equal(parseHost(text), expected, text)
})

t.test('what a person types may be Unicode, and becomes the name on the wire', async t => {
  t.equal(parseHumanHost('Bücher.example'), 'xn--bcher-kva.example')
  t.equal(parseHumanHost('école.fr'), parseHost('xn--cole-9oa.fr'))
  t.equal(parseHumanHost('école.fr/x'), undefined)
  t.equal(parseHumanHost('ｅxample.com'), 'example.com', 'full-width letters are the plain ones')
})

t.test('the target of CONNECT has a host and a port, and nothing else', async t => {
  t.strictSame(parseAuthority('Example.com:443'), { host: 'example.com', port: 443 })
  t.strictSame(parseAuthority('[::1]:443'), { host: '::1', port: 443 })
  for (const text of [
    'example.com',
    'example.com:',
    ':443',
    'example.com:0',
    'example.com:65536',
    'example.com:0443',
    'example.com:443:443',
    'example.com:+443',
    'example.com:-1',
    'a@example.com:443',
    '::1:443',
    'http://example.com:443',
    'example.com:443/',
    '',
  ]) {
    t.equal(parseAuthority(text), undefined, JSON.stringify(text))
  }
})

t.test('an absolute-form target keeps its path byte for byte', async t => {
  t.strictSame(parseAbsoluteForm('http://Example.com/a%2Fb//c/../d%00?q=1'), {
    target: { host: 'example.com', port: 80 },
    path: '/a%2Fb//c/../d%00?q=1',
  })
  t.strictSame(parseAbsoluteForm('http://example.com'), {
    target: { host: 'example.com', port: 80 },
    path: '/',
  })
  t.strictSame(parseAbsoluteForm('http://example.com?x'), {
    target: { host: 'example.com', port: 80 },
    path: '/?x',
  })
  t.strictSame(parseAbsoluteForm('HTTP://example.com:8080/'), {
    target: { host: 'example.com', port: 8080 },
    path: '/',
  })
  for (const text of [
    '/',
    '*',
    'https://example.com/',
    'ftp://example.com/',
    'http:/example.com/',
    'http:example.com/',
    'http:///example.com/',
    '//example.com/',
    'example.com:80/',
    'http://allowed.test@blocked.test/',
    'http://allowed.test\\@blocked.test/',
    'http://example.com:000080/',
    'http://example.com:65616/',
    'http://a%2eb.test/',
    'javascript:alert(1)',
    'http://',
    'http://:80/',
  ]) {
    t.equal(parseAbsoluteForm(text), undefined, text)
  }
})

t.test('a fragment is cut off: it is for nobody but the client', async t => {
  for (const [url, host, path] of [
    ['http://a.test/p?q#top', 'a.test', '/p?q'],
    ['http://a.test/p#', 'a.test', '/p'],
    ['http://a.test#/x?y', 'a.test', '/'],
    ['http://a.test?q#a#b', 'a.test', '/?q'],
    // As browsers read it: what follows the `#` is no authority.
    ['http://a.test#@b.test/', 'a.test', '/'],
    ['http://a.test/\xe9#\xe9', 'a.test', '/\xe9'],
  ] as const)
    t.strictSame(parseAbsoluteForm(url), { target: { host, port: 80 }, path }, url)
  t.equal(parseAbsoluteForm('http://a.test/#\r\nX: y'), undefined, 'nor is it more than a line')
})

t.test('a port left empty is the default one', async t => {
  t.strictSame(parseAbsoluteForm('http://example.com:/')?.target, { host: 'example.com', port: 80 })
})

t.test('the parents of a name stand on label boundaries, and an address has none', async t => {
  t.strictSame(
    [...suffixes('a.b.example.com' as Host)],
    ['a.b.example.com', 'b.example.com', 'example.com', 'com'],
  )
  t.strictSame([...suffixes('10.1.2.3' as Host)], ['10.1.2.3'])
  t.strictSame([...suffixes('2001:db8::1' as Host)], ['2001:db8::1'])
})

t.test('the Host field is made from the target', async t => {
  t.equal(hostField({ host: 'a.test' as Host, port: 80 }), 'a.test')
  t.equal(hostField({ host: 'a.test' as Host, port: 8080 }), 'a.test:8080')
  t.equal(hostField({ host: '::1' as Host, port: 80 }), '[::1]')
})

t.test('whatever comes, a parsed host is canonical: parsing it again changes nothing', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.domain(), fc.ipV4(), fc.ipV6()), text => {
      const once = parseHost(text)
      return once === undefined || (parseHost(once) === once && once === once.toLowerCase())
    }),
    { numRuns: 3_000 },
  )
})

t.test(
  'a name is taken when each of its labels is right and the last one is no number',
  async t => {
    const isRight = (label: string) => label.length <= 63 && /^[a-z0-9_-]+$/.test(label)
    const isNumber = (label: string) => /^\d+$|^0x[0-9a-f]*$/.test(label)
    const label = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'z', '0', '9', '_', '-', 'x'), maxLength: 4 }),
      fc.constantFrom('0x', '0xff', '255', 'a!', 'a\n', 'a'.repeat(63), 'a'.repeat(64)),
    )
    let taken = 0
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), labels => {
        // An empty last label is the trailing dot, which has rows of its own above.
        if (labels.at(-1) === '' || isIPv4(labels.join('.'))) return true
        const name = labels.join('.')
        const isName =
          name.length <= 253 && labels.every(isRight) && !labels.slice(-1).every(isNumber)
        if (isName) taken++
        return parseHost(name) === (isName ? name : undefined)
      }),
      { numRuns: 3_000 },
    )
    t.ok(taken > 100, `the property is not empty: ${taken} taken`)
  },
)
