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
  '||example.com^|',
  '||example.com^$all',
  '||example.com^$document',
  '||example.com^$doc',
  '||example.com^$important',
  '||example.com^$important,all',
  '||example.com^$document,popup',
  '||example.com^$dnsrewrite=NXDOMAIN;;',
  '||example.com^$dnsrewrite=0.0.0.0',
  ...'0.0.0.1|0|0.0.0|127.0.0.2|127.1|127.255.255.254|255.255.255.255|::1|0:0:0:0:0:0:0:0'
    .split('|')
    .map(sink => `${sink} example.com`),
  '::ffff:127.0.0.1 example.com',
  'example.com ; since May',
  'example.com // since May',
  '+.example.com',
  'address=/example.com/',
  'address=/example.com/#',
  'address=/example.com/0.0.0.0',
  'address=/example.com/::',
  'address=/.example.com/127.0.0.1 # x',
  'server=/example.com/',
  'server=/example.com/127.0.0.1',
  'local=/example.com/',
  'address /example.com/#',
  'local-zone: "example.com." always_null',
  'local-zone: "example.com" static',
  'local-zone: example.com always_nxdomain # x',
  'local-data: "example.com. 60 IN A 0.0.0.0"',
  "local-data: 'example.com AAAA ::'",
  'example.com CNAME .',
  '*.example.com 300 IN CNAME .',
  'example.com IN 300 CNAME *.',
  'example.com CNAME rpz-drop. ; x',
  'example.com A 0.0.0.0',
  'zone "example.com" { type master; notify no; file "null.zone.file"; };',
  'DOMAIN-SUFFIX,example.com',
  'DOMAIN,example.com,REJECT',
  "  - '+.example.com'",
  '- DOMAIN-SUFFIX,example.com,REJECT-DROP',
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
  'fe80::1%lo0 localhost',
  '255.255.255.255\tbroadcasthost',
  'ff02::1 ip6-allnodes',
  '; x',
  '  // x',
  'server:',
  'payload:',
  '$TTL 2h',
  '$ORIGIN rpz.example.',
  '@ 3600 IN SOA localhost. root.localhost. 1 2 3 4 5',
  '@ SOA localhost. root.localhost. (',
  ' 2026111901 ; serial',
  ' 3600 )',
  '  NS localhost.',
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
  '||com^',
  '||',
  'example.com;x',
  '0.0.0.0example.com',
  '127.0.0.1stratum.example.com',
  '0.0.0.0-x.example.com',
  '1 example.com',
  'address=/#/0.0.0.0',
  'server=//',
  'local-zone: "com." always_null',
  'com CNAME .',
  '- com',
  'example.com,other.com',
  '*.*.example.com',
  '%65xample.com',
]
for (const line of refused) {
  t.test(`${JSON.stringify(line)} is refused`, async t =>
    t.equal(parseListLine(line).kind, 'refused'),
  )
}

const left: readonly string[] = [
  '||example.com^$third-party',
  '||example.com^$popup',
  '||example.com^$script,important',
  '||example.com^$domain=other.com',
  '||example.com^$all,domain=other.com',
  '||example.com^$badfilter',
  '||example.com^$denyallow=www.example.com',
  '||example.com^$dnsrewrite=192.0.2.7',
  '@@||example.com^',
  '@@||example.com^$document',
  '||example.com/path^',
  '||*.example.com^',
  '||example.com',
  '||example.com:8080^',
  '|https://example.com^',
  '/^ads[0-9]+\\./',
  'example.com##.banner',
  ' example.com##.banner',
  '\uFEFFexample.com##.banner',
  'example.com#@#.banner',
  'example.com#@?#.banner',
  'example.com#$?#.banner',
  'example.com#%#script',
  'example.com##+js(aopr, x)',
  'example.com$$script[tag]',
  // A name that leads somewhere is not closed.
  '192.168.1.10 nas.example.com',
  '216.239.38.120 www.example.com',
  'address=/example.com/192.0.2.7',
  'server=/example.com/#',
  'server=/example.com/192.0.2.53#5353',
  'server=/example.com/127.0.0.1#5353',
  'cname=a.example.com,b.example.com',
  'address /example.com/-',
  'local-zone: "example.com" transparent',
  'local-zone: "example.com" redirect',
  'local-data: "example.com A 192.0.2.7"',
  'example.com CNAME rpz-passthru.',
  'example.com CNAME other.example.',
  'example.com A 192.0.2.7',
  '32.7.2.0.192.rpz-ip CNAME .',
  'DOMAIN-SUFFIX,example.com,DIRECT',
  'DOMAIN-KEYWORD,example',
  'IP-CIDR,192.0.2.0/24,REJECT',
]
for (const line of left) {
  t.test(`${JSON.stringify(line)} is understood, and left out`, async t =>
    t.equal(parseListLine(line).kind, 'left'),
  )
}

t.test('a line of a hosts file names several hosts, and the good ones count', async t => {
  t.same(parseListLine('0.0.0.0 a.example B.example # ads'), {
    kind: 'hosts',
    hosts: ['a.example', 'b.example'],
  })
  t.same(parseListLine('0.0.0.0 a.example com b.example'), {
    kind: 'hosts',
    hosts: ['a.example', 'b.example'],
    odd: 1,
  })
  t.equal(parseListLine('0.0.0.0 com').kind, 'refused')
})

t.test('a line of dnsmasq names several hosts', async t =>
  t.same(parseListLine('address=/a.example/*.b.example/com/0.0.0.0'), {
    kind: 'hosts',
    hosts: ['a.example', 'b.example'],
    odd: 1,
  }),
)
