/** Where mutated requests start from: what the threat catalogue sends, and honest requests of every kind. */
import { latin1, type Mutation } from '../engine/mutate.ts'

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: games.test\r\n\r\n'
const ABSOLUTE = 'GET http://games.test:PORT/hidden HTTP/1.1\r\nHost: games.test\r\n\r\n'
const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

/** A request line, fields and a body; the usual ones where nothing is said. */
function request(line: string, fields: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: free.test', ...fields, '', body].join('\r\n')
}

const FREE = 'http://free.test:PORT/'
const FRAMINGS = [
  ['Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked', 'Content-Length: 5'],
  ['Content-Length: 5', 'Content-Length: 6'],
  ...['5, 6', '+5', '0x5', '5_0', '-1', '1 2', '', '18446744073709551621'].map(value => [
    `Content-Length: ${value}`,
  ]),
  ...['xchunked', 'chunked, identity', ',chunked', 'chunked,', '\x0bchunked', 'Chunked'].map(
    value => [`Transfer-Encoding: ${value}`],
  ),
  ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding:\r\n chunked'],
  ['Transfer-Encoding : chunked'],
]
const CHUNK_SIZES = ['0x5', '+5', '5_0', ' 5', '', '10000000000000005', '5;a=\n', '5;\0', '5\n']
const TARGETS = [
  'http://GAMES.test.:PORT/',
  'http://free.test@games.test:PORT/',
  'http://free.test:80@games.test:PORT/',
  'http://free.test\\@games.test:PORT/',
  'http:/games.test:PORT/',
  'http:///games.test:PORT/',
  '//games.test:PORT/',
  'games.test:PORT/',
  'http://games%2Etest:PORT/',
  'http://[games.test]:PORT/',
  'http://free.test:0000PORT/',
  'http://127.0.0.1:PORT/',
  'http://2130706433:PORT/',
  'http://[::ffff:127.0.0.66]:PORT/',
  'http://preau.internal/',
  'ftp://free.test:PORT/',
  '/',
  '*',
]

const PLAIN = [
  request(`GET ${FREE}`),
  // What Node's parser refuses and we pass on (`src/proxy/odd-requests.ts`).
  request(`CCM_POST ${FREE}`, [`Content-Length: ${ABSOLUTE.length}`], ABSOLUTE),
  request(`BITS_POST ${FREE}`, ['Transfer-Encoding: chunked'], chunked(ABSOLUTE)),
  request(`GET ${FREE}\xe9?\xff#top`) + request(`VERSION-CONTROL ${FREE}`),
  request(`CCM_POST ${FREE}`) + request(`PUT ${FREE}\xe9`, ['Content-Length: 5'], 'hello'),
  ...FRAMINGS.map(fields => request(`CCM_POST ${FREE}`, fields, chunked(ABSOLUTE))),
  request(`GET ${FREE}a%2Fb//c/../d?e=f`, ['Accept: */*', 'Cookie: a=b', 'Connection: close']),
  request(`HEAD ${FREE}`, [
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'X-End: 2',
    'TE: trailers',
  ]),
  request(`POST ${FREE}`, ['Content-Length: 5', 'Expect: 100-continue'], 'hello'),
  request(
    `POST ${FREE}`,
    ['Transfer-Encoding: chunked', 'Trailer: X'],
    `${chunked('hello').slice(0, -2)}X: y\r\n\r\n`,
  ),
  request(`OPTIONS http://free.test:PORT`, ['Max-Forwards: 0']),
  request(`TRACE ${FREE}`, ['Max-Forwards: 3']),
  request(`GET ${FREE}`) +
    request('GET http://games.test:PORT/') +
    request('GET http://other.test:PORT/'),
  request('GET http://games.test:PORT/') + request(`GET ${FREE}`),
  request(`GET ${FREE}switch`, [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: x',
  ]) + HIDDEN,
  request(`GET ${FREE}`, [
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: x',
  ]),
  `GET ${FREE} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(HIDDEN)}`,
  `GET ${FREE} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  `\r\n\r\nGET ${FREE} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET ${FREE} HTTP/1.1\nHost: a\n\n`,
  `GET ${FREE} HTTP/1.1\r\nHost: a\r\n\r${HIDDEN}`,
  `GET ${FREE} HTTP/1.1\r\nHost: a\r\nHost: games.test\r\nX: a\0b\r\n : c\r\n\r\n`,
  `GET ${FREE}\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x05\x01\x00',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
]
const PORTAL = [
  request('GET http://shop.test:PORT/"><script>', ['Accept: text/html', 'Accept-Language: en']),
  request(
    'POST http://games.test:PORT/.preau/unblock',
    [
      'Content-Type: application/x-www-form-urlencoded',
      'Origin: http://games.test:PORT',
      'Content-Length: 3',
    ],
    'a=b',
  ),
  request('POST http://shop.test:PORT/.preau/continue', ['Content-Length: 0']),
  request('GET http://games.test:PORT/.preau/follow', ['Accept: text/event-stream']),
  request(
    'POST http://adult.test:PORT/',
    ['Transfer-Encoding: chunked'],
    chunked('x'.repeat(5_000)),
  ),
]
const CONNECTS = [
  'CONNECT free.test:TUNNEL HTTP/1.1\r\nHost: a\r\n\r\nhello',
  'CONNECT games.test:TUNNEL HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00',
  `CONNECT games.test:TUNNEL HTTP/1.1\r\nHost: a\r\n\r\n${ABSOLUTE}`,
  'CONNECT free.test HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT free.test:22 HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello',
  `${request(`GET ${FREE}`)}CONNECT games.test:TUNNEL HTTP/1.1\r\nHost: a\r\n\r\n`,
]
const SMUGGLED = [
  ...['DELETE', 'OPTIONS', 'GET', 'PATCH'].flatMap(method => [
    request(`${method} ${FREE}`, ['Transfer-Encoding: chunked'], chunked(HIDDEN)),
    request(`${method} ${FREE}`, [`Content-Length: ${HIDDEN.length}`], HIDDEN),
  ]),
  ...FRAMINGS.map(fields => request(`POST ${FREE}`, fields, `${chunked('hello')}${HIDDEN}`)),
  ...CHUNK_SIZES.map(size =>
    request(
      `POST ${FREE}`,
      ['Transfer-Encoding: chunked'],
      `${size}\r\nhello\r\n0\r\n\r\n${ABSOLUTE}`,
    ),
  ),
]

const WORDS = [
  'GET ',
  'POST ',
  'HEAD ',
  'OPTIONS ',
  'CONNECT ',
  'M-SEARCH ',
  ' HTTP/1.1\r\n',
  ' HTTP/1.0\r\n',
  ' HTTP/2.0\r\n',
  'Host: games.test\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Connection: Host, Content-Length, Via\r\n',
  'Connection: upgrade\r\n',
  'Via: 1.1 x\r\n',
  'Upgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'X-HTTP-Method-Override: CONNECT\r\n',
  'Cookie: a\r\n',
  '\r\n\r\n',
  '\r\n',
  '\n',
  '\r',
  '\n\n',
  '\r\n ',
  ':',
  ' : ',
  '0\r\n\r\n',
  '5\r\n',
  'ffffffff\r\n',
  ';',
  'http://',
  'free.test',
  'games.test',
  'other.test',
  ':PORT',
  '@',
  '\\',
  '#',
  '?',
  '%00',
  '/',
  '..',
  '[',
  ']',
  'chunked',
  'identity',
  'gzip',
  'close',
  '__proto__: x\r\n',
  'constructor: y\r\n',
  HIDDEN,
  ABSOLUTE,
]

/** All of it for origins that listen on `port`, and tunnels to `tunnel`. */
export function requestMutation(port: number, tunnel: number): Mutation {
  const fill = (text: string): string =>
    text.replaceAll('PORT', String(port)).replaceAll('TUNNEL', String(tunnel))
  const targets = TARGETS.map(target => request(`GET ${target}`))
  const all = [...PLAIN, ...PORTAL, ...CONNECTS, ...SMUGGLED, ...targets]
  return { seeds: latin1(all.map(fill)), words: WORDS.map(fill) }
}
