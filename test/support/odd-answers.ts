/**
 * What one origin can say wrongly, and what a client gets of it through us. `npm run bench -- answers` puts beside it what
 * squid gives: all that squid relays whole is relayed here, unless `why` says otherwise.
 */
const OK = 'HTTP/1.1 200 OK\r\n'
const SIX = 'Content-Length: 6\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const large = (bytes: number): string =>
  `${OK}${SIX}Set-Cookie: a=${'x'.repeat(bytes)}\r\n\r\nmarker`

export interface OddAnswer {
  readonly says: string
  /** `whole`: 200 with the body `marker`; `broken`: 200, and then no clean end; else a status. */
  readonly gives: 'whole' | 'broken' | '502' | '600' | '999'
  /** Where this is not what squid 5.7 gives. What browsers read was tried with Chromium 156. */
  readonly why?: string
}

const FRAMING = 'two readings of where it ends: one of them is a smuggled answer (RFC 9112 §6.3)'
const NO_HTTP = 'squid makes a page of it (HTTP/0.9); browsers refuse it, as we do'
const KNOWN = 'browsers read it'

export const ODD_ANSWERS: Readonly<Record<string, OddAnswer>> = {
  'in order': { says: `${OK}${SIX}\r\nmarker`, gives: 'whole' },
  'lines that end with LF': {
    says: 'HTTP/1.1 200 OK\nContent-Length: 6\n\nmarker',
    gives: 'whole',
  },
  'an empty line that ends with LF': { says: `${OK}${SIX}\nmarker`, gives: 'whole' },
  'lines that end with CR CR LF': { says: `${OK}X: a\r\r\n${SIX}\r\nmarker`, gives: 'whole' },
  'an informational head by LF before it': {
    says: `HTTP/1.1 103 Early Hints\nLink: a\n\nHTTP/1.1 200 OK\n${SIX}\nmarker`,
    gives: 'whole',
  },
  'an empty line before it': {
    says: `\r\n${OK}${SIX}\r\nmarker`,
    gives: 'whole',
    why: `squid makes a page of its head; ${KNOWN}`,
  },
  'a web radio': {
    says: 'ICY 200 OK\r\nicy-name: x\r\n\r\nmarker',
    gives: 'whole',
  },
  'no reason': { says: `HTTP/1.1 200\r\n${SIX}\r\nmarker`, gives: 'whole' },
  'a tab behind the version': { says: `HTTP/1.1\t200 OK\r\n${SIX}\r\nmarker`, gives: 'whole' },
  'two blanks behind the version': {
    says: `HTTP/1.1  200 OK\r\n${SIX}\r\nmarker`,
    gives: 'whole',
    why: KNOWN,
  },
  'a name in small letters': {
    says: `http/1.1 200 OK\r\n${SIX}\r\nmarker`,
    gives: 'whole',
    why: KNOWN,
  },
  'HTTP/1.2': { says: `HTTP/1.2 200 OK\r\n${SIX}\r\nmarker`, gives: 'whole' },
  'HTTP/2.0 in so many letters': {
    says: `HTTP/2.0 200 OK\r\n${SIX}\r\nmarker`,
    gives: 'whole',
    why: KNOWN,
  },
  'HTTP/1.10': { says: `HTTP/1.10 200 OK\r\n${SIX}\r\nmarker`, gives: '502' },
  'HTTP/0.9': {
    says: `HTTP/0.9 200 OK\r\n${SIX}\r\nmarker`,
    gives: '502',
    why: 'squid makes a page of its head',
  },
  RTSP: { says: `RTSP/1.0 200 OK\r\n${SIX}\r\nmarker`, gives: '502', why: NO_HTTP },
  ICE: { says: `ICE/1.0 200 OK\r\n${SIX}\r\nmarker`, gives: '502', why: NO_HTTP },
  'no head at all': { says: 'marker', gives: '502', why: NO_HTTP },
  'a status of 600': { says: `HTTP/1.1 600 x\r\n${SIX}\r\nmarker`, gives: '600', why: KNOWN },
  'a status of 999': {
    says: `HTTP/1.1 999 x\r\n${SIX}\r\nmarker`,
    gives: '999',
    why: 'LinkedIn says so, and browsers read it',
  },
  'a control in a field': { says: `${OK}${SIX}Set-Cookie: a=1\x01\r\n\r\nmarker`, gives: 'whole' },
  'DEL in a field': { says: `${OK}${SIX}X: a\x7fb\r\n\r\nmarker`, gives: 'whole' },
  'a bare CR in a field': { says: `${OK}${SIX}X: a\rb\r\n\r\nmarker`, gives: 'whole' },
  'NUL in a field': { says: `${OK}${SIX}X: a\0b\r\n\r\nmarker`, gives: '502' },
  'a control in the reason': { says: `HTTP/1.1 200 O\x07K\r\n${SIX}\r\nmarker`, gives: '502' },
  'UTF-8 in a field': { says: `${OK}${SIX}X: \xc3\xa0\r\n\r\nmarker`, gives: 'whole' },
  'a blank before a colon': {
    says: `${OK}${SIX}X-Frame-Options : DENY\r\n\r\nmarker`,
    gives: 'whole',
  },
  'a tab before the colon of a length': {
    says: `${OK}Content-Length\t: 6\r\n\r\nmarker`,
    gives: 'whole',
  },
  'a blank in a name': { says: `${OK}${SIX}X Y: a\r\n\r\nmarker`, gives: '502' },
  'a line without a colon': { says: `${OK}${SIX}junk\r\n\r\nmarker`, gives: '502' },
  'a folded line': { says: `${OK}${SIX}X: a\r\n b\r\n\r\nmarker`, gives: 'whole' },
  'white space before the first field': { says: `${OK} X: a\r\n${SIX}\r\nmarker`, gives: 'whole' },
  'a length said twice': { says: `${OK}${SIX}${SIX}\r\nmarker`, gives: 'whole' },
  'a list of one length': { says: `${OK}Content-Length: 6, 6\r\n\r\nmarker`, gives: 'whole' },
  'two lengths': { says: `${OK}${SIX}Content-Length: 3\r\n\r\nmarker`, gives: '502' },
  'a length with a sign': { says: `${OK}Content-Length: +6\r\n\r\nmarker`, gives: '502' },
  'a length that is empty': { says: `${OK}Content-Length:\r\n\r\nmarker`, gives: '502' },
  'a length and chunks': {
    says: `${OK}${SIX}${CHUNKED}\r\n6\r\nmarker\r\n0\r\n\r\n`,
    gives: '502',
    why: FRAMING,
  },
  'the coding identity': { says: `${OK}Transfer-Encoding: identity\r\n\r\nmarker`, gives: 'whole' },
  'the coding identity and a length': {
    says: `${OK}Transfer-Encoding: identity\r\n${SIX}\r\nmarker`,
    gives: 'whole',
  },
  'chunks said twice': {
    says: `${OK}${CHUNKED}${CHUNKED}\r\n6\r\nmarker\r\n0\r\n\r\n`,
    gives: '502',
  },
  'a coding that nobody asked for': {
    says: `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n6\r\nmarker\r\n0\r\n\r\n`,
    gives: '502',
  },
  'chunks in HTTP/1.0': {
    says: `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n6\r\nmarker\r\n0\r\n\r\n`,
    gives: 'whole',
  },
  'chunk sizes with leading zeros': {
    says: `${OK}${CHUNKED}\r\n0000006\r\nmarker\r\n0\r\n\r\n`,
    gives: 'whole',
  },
  'chunk sizes with blanks behind': {
    says: `${OK}${CHUNKED}\r\n6  \r\nmarker\r\n0\r\n\r\n`,
    gives: 'broken',
  },
  'chunk extensions behind a blank': {
    says: `${OK}${CHUNKED}\r\n6 ; a=b\r\nmarker\r\n0\r\n\r\n`,
    gives: 'broken',
    why: "Node's parser does not take it; nobody is known to send it",
  },
  'no last chunk': { says: `${OK}${CHUNKED}\r\n6\r\nmarker\r\n`, gives: 'broken' },
  'a body shorter than its length': {
    says: `${OK}Content-Length: 60\r\n\r\nmarker`,
    gives: 'broken',
  },
  'a head of 17,000 bytes': { says: large(17_000), gives: 'whole' },
  'a head of 65,000 bytes': { says: large(65_000), gives: 'whole' },
  'a head of 66,000 bytes': { says: large(66_000), gives: '502' },
  '3,000 fields': {
    says: `${OK}${'X-Many: 1\r\n'.repeat(3_000)}${SIX}\r\nmarker`,
    gives: 'whole',
  },
  'a head without its end': {
    says: `${OK}${SIX}`,
    gives: '502',
    why: 'squid passes it on without a body, and breaks off',
  },
  'another answer behind it': {
    says: `${OK}${SIX}\r\nmarker${OK}Content-Length: 6\r\n\r\npoison`,
    gives: 'whole',
  },
}

/** What a client got of one of them, in the words of `gives`. `isClean`: the connection ended with an end. */
export function readOutcome(text: string, isClean: boolean): string {
  const final = text.replace(/^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)+/, '')
  const [, status = 'nothing'] = /^\S+ (\d{3})/.exec(final) ?? []
  if (status !== '200') return status
  const end = final.indexOf('\r\n\r\n') + 4
  const [head, body] = [final.slice(0, end).toLowerCase(), final.slice(end)]
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1]
  const isChunked = /\r\ntransfer-encoding: chunked\r\n/.test(head)
  if (length !== undefined && Number(length) !== body.length) return 'broken'
  if (isChunked && !body.endsWith('0\r\n\r\n')) return 'broken'
  if (!isChunked && length === undefined && !isClean) return 'broken'
  const content = isChunked ? body.replace(/[\da-f]+\r\n(.*?)\r\n/gi, '$1') : body
  return content === 'marker' ? 'whole' : 'another page'
}
