/** Names and authorities: what is taken has one spelling, and the same one whatever way it came in. */
import {
  isAddress,
  parseAbsoluteForm,
  parseAuthority,
  parseHost,
  parseHumanHost,
  parseTyped,
  suffixes,
  type Host,
  type Target,
} from '../../src/policy/host.ts'
import { createAddressJudge } from '../../src/policy/address.ts'
import { measureSelf } from './engine/measure.ts'
import { latin1, mutate } from './engine/mutate.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const CANONICAL = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:]+)$/
const judge = createAddressJudge([])

function checkHost(host: Host): void {
  promise(CANONICAL.test(host) && host.length <= 253, `not canonical: ${host}`)
  promise(parseHost(host) === host && parseHumanHost(host) === host, `read twice: ${host}`)
  // A browser, and most libraries, read the WHATWG way: the host that it reaches is the one that was judged.
  const shown = URL.parse(`http://${host.includes(':') ? `[${host}]` : host}/`)?.hostname
  if (shown !== undefined && !shown.startsWith('[::ffff:'))
    promise(parseHost(shown) === host, `WHATWG reads ${shown}, we read ${host}`)
  if (isAddress(host)) judge(host)
  promise(
    [...suffixes(host)].every(name => host.endsWith(name)),
    `parents of ${host}`,
  )
}

const isSame = (one: Target | undefined, other: Target | undefined): boolean =>
  one?.host === other?.host && one?.port === other?.port

function checkAuthority(text: string): void {
  const authority = parseAuthority(text)
  if (authority === undefined) return
  checkHost(authority.host)
  const absolute = parseAbsoluteForm(`http://${text}/`)
  promise(isSame(authority, absolute?.target), 'CONNECT and GET reach two targets')
  const typed = parseTyped(`http://${text}/`)
  promise(isSame(authority, typed), 'CONNECT and a typed address reach two targets')
}

function checkAbsolute(url: string): void {
  const absolute = parseAbsoluteForm(url)
  if (absolute === undefined) return
  checkHost(absolute.target.host)
  promise(/^\/[^#]*$/.test(absolute.path), `path ${absolute.path}`)
  const other = URL.parse(url)
  if (other === null) return
  promise(parseHost(other.hostname) === absolute.target.host, `WHATWG reaches ${other.hostname}`)
  promise(Number(other.port || 80) === absolute.target.port, `WHATWG reaches port ${other.port}`)
}

function check(bytes: Buffer): void {
  // As Node hands over what came (latin1), and as a person types it.
  for (const text of [bytes.toString('latin1'), bytes.toString()]) {
    const host = parseHost(text)
    if (host !== undefined) checkHost(host)
    const human = parseHumanHost(text)
    if (human !== undefined) checkHost(human)
    const typed = parseTyped(text)
    if (typed !== undefined) checkHost(typed.host)
    checkAuthority(text)
    checkAuthority(`${text}:443`)
    checkAbsolute(text)
    checkAbsolute(`http://${text}`)
  }
}

const mutation = {
  seeds: [
    ...latin1(
      `games.test|WWW.Games.TEST.|free.test:443|[2001:db8::1]:443|[::ffff:127.0.0.1]:80|127.0.0.1:80
127.1|2130706433|0x7f000001|0177.0.0.1|0x7f.1|0|127.0.0.1.|::1|[::1%25lo]|64:ff9b::7f00:1
http://free.test@games.test/|http://free.test\\@games.test/|http:/games.test/|http:///games.test/
//games.test/|http://games.test:000080/|http://games.test:65616/|http://[games.test]/|[[games.test]]
http://games.test?x|http://games.test#x|games%2Etest|xn--bcher-kva.example|a.b.c.d.e.f.example
_dmarc.example|a-.example|-a.example|a..example|.example|http://a:80:80/|games.test:443:443`.split(
        /[|\n]/,
      ),
    ),
    ...[
      'bücher.example',
      'ｇａｍｅｓ.test',
      'games。test',
      'ſhop.test',
      'g\u00adames.test',
      '①②⑦.0.0.1',
    ].map(text => Buffer.from(text)),
  ],
  words: [
    ...'.|..|:|::|@|/|\\|?|#|%|%2e|%00|[|]|[[|]]|http://|https://|ws:|//|:80|:443|:0|:65535|:65536|:-1'.split(
      '|',
    ),
    ...'0x|0x7f|0177|127|255|256|4294967295|::ffff:|xn--|games.test|free.test|localhost|-|_|*'.split(
      '|',
    ),
    ...[' ', '\t', '\0', '\r\n', '\u00ad', '\u3002', '\uff0e', '\u200b', 'ſ', 'İ', 'ß'].map(text =>
      Buffer.from(text).toString('latin1'),
    ),
  ],
  maxBytes: 600,
}

export const host: FuzzTarget = {
  name: 'host',
  bounded: 20_000,
  open: async () => ({
    batch: 1_000,
    make: random => mutate(random, mutation),
    attempt: async inputs => inputs.forEach(check),
    measure: measureSelf,
  }),
}
