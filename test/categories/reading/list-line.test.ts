import t from 'tap'
import { parseListLine } from '../../../src/categories/reading/list-line.ts'

const same = [
  'example.com',
  '.example.com',
  '*.example.com',
  'EXAMPLE.com',
  ' example.com\t',
  'example.com\r',
  '\uFEFFexample.com',
  'example.com # a comment',
  'example.com#comment',
  'example.com.',
  'http://example.com/',
  'https://Example.com',
  'example.com:443',
  '0.0.0.0 example.com',
  '127.0.0.1\texample.com',
  ':: example.com',
  '||example.com^',
]
for (const line of same) {
  t.test(`${JSON.stringify(line)} means example.com`, async t =>
    t.same(parseListLine(line), { kind: 'hosts', hosts: ['example.com'] }),
  )
}

const others: [string, string][] = [
  ['élève.fr', 'xn--lve-6lad.fr'],
  ['xn--lve-6lad.fr', 'xn--lve-6lad.fr'],
  ['192.0.2.7', '192.0.2.7'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['under_score.example.com', 'under_score.example.com'],
  ['w-w-i-s-.com', 'w-w-i-s-.com'],
  ['||-odd.example.com^', '-odd.example.com'],
]
for (const [line, host] of others) {
  t.test(`${line} is the host ${host}`, async t =>
    t.same(parseListLine(line), { kind: 'hosts', hosts: [host] }),
  )
}

for (const line of [
  '',
  '   ',
  '# comment',
  '\r',
  '\uFEFF',
  '\uFEFF# x',
  '! comment',
  '[Adblock Plus 2.0]',
  '127.0.0.1 localhost',
  '::1 ip6-localhost ip6-loopback',
  '0.0.0.0 0.0.0.0',
]) {
  t.test(`${JSON.stringify(line)} says nothing`, async t =>
    t.equal(parseListLine(line).kind, 'blank'),
  )
}

const refused = [
  '.',
  '*',
  '*.',
  '*.*',
  '..',
  'com',
  '.com',
  '*.com',
  'com.',
  'localhost',
  'example..com',
  'exa mple.com',
  'example.com/path',
  'http://example.com/x',
  'http://user@example.com/',
  '10.0.0.0/8',
  '127.1',
  '0x7f.1',
  'http://',
  '<html>',
  '<td>example.com</td>',
  '\u0000\u0001.com',
  'a@example.com',
  '||example.com^$third-party',
  '@@||example.com^',
  '||example.com/path^',
  '||*.example.com^',
  '||com^',
  'example.com##.banner',
  ' example.com##.banner',
  '\uFEFFexample.com##.banner',
  'example.com#@#.banner',
  'example.com#@?#.banner',
  'example.com#$?#.banner',
  'example.com#%#script',
  'example.com,other.com',
  '*.*.example.com',
  '%65xample.com',
]
for (const line of refused) {
  t.test(`${JSON.stringify(line)} is refused`, async t =>
    t.equal(parseListLine(line).kind, 'refused'),
  )
}

t.test('a line of a hosts file names several hosts, or is refused whole', async t => {
  t.same(parseListLine('0.0.0.0 a.example B.example # ads'), {
    kind: 'hosts',
    hosts: ['a.example', 'b.example'],
  })
  t.equal(parseListLine('0.0.0.0 a.example com').kind, 'refused')
})
