/** A head that two readers could read differently is refused, never repaired and passed on (RFC 9112 §2.2, §5, CVE-2025-23167). */
import t from 'tap'
import { openProxyWorld } from '../support/proxy-world.ts'
import { assertClean, openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const REFUSED = /^HTTP\/1\.1 4\d\d /
const origin = await openRecordingOrigin(t)
const world = await openProxyWorld(t)
const line = `GET http://free.test:${origin.port}/ HTTP/1.1\r\n`
const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'

t.test('a head that does not end or begin as it must is refused', async t => {
  const heads = {
    'ended by CR LF CR X': `${line}Host: a\r\n\rX${hidden}`,
    'lines ended by LF': `${line}Host: a\r\n\r\n`.replaceAll('\r\n', '\n'),
    'one line ended by LF': `${line}Host: a\nX: y\r\n\r\n`,
    'one line ended by CR': `${line}Host: a\rX: y\r\n\r\n`,
    'a folded line': `${line}Host: a\r\nX: y\r\n z\r\n\r\n`,
    'a folded length': `${line}Host: a\r\nContent-Length:\r\n 5\r\n\r\nhello`,
    'white space before the first field': `${line} X: y\r\nHost: a\r\n\r\n`,
    'a tab before the first field': `${line}\tContent-Length: 5\r\nHost: a\r\n\r\nhello`,
    'no white space before the version': `GET http://free.test:${origin.port}/HTTP/1.1\r\nHost: a\r\n\r\n`,
    'a tab in the request line': `${line.replace('GET ', 'GET\t')}Host: a\r\n\r\n`,
    'a space in the path': `${line.replace('/ HTTP', '/a b HTTP')}Host: a\r\n\r\n`,
    'a method in lower case': `${line.replace('GET', 'get')}Host: a\r\n\r\n`,
    'an unknown version': `${line.replace('1.1', '1.2')}Host: a\r\n\r\n`,
    'a version of two': `${line.replace('1.1', '2.0')}Host: a\r\n\r\n`,
    'no version': `GET http://free.test:${origin.port}/\r\n\r\n`,
  }
  for (const [name, bytes] of Object.entries(heads))
    await assertClean(t, world, origin, { name, bytes, status: /^(?:HTTP\/1\.1 4\d\d |$)/ })
})

t.test('two spaces in a request line are refused or sent on as one', async t => {
  const bytes = `${line.replace('GET ', 'GET  ')}Host: a\r\n\r\n`
  await assertClean(t, world, origin, { name: 'two spaces', bytes })
})

t.test('a field that is none is answered 400', async t => {
  const fields = {
    'a NUL in a value': 'X: a\0b',
    'a bare CR in a value': 'X: a\rb',
    'a bell in a value': 'X: a\x07b',
    'an empty name': ': x',
    'no colon': 'nothing',
    'white space before the colon': 'Name : x',
    'white space in a name': 'A name: x',
    'a NUL in a name': 'N\0ame: x',
    'a letter beyond ASCII in a name': 'N\xe9: x',
    'brackets in a name': 'N(a): x',
  }
  for (const [name, field] of Object.entries(fields))
    await assertClean(t, world, origin, {
      name,
      bytes: `${line}${field}\r\nHost: a\r\n\r\n`,
      status: REFUSED,
    })
})

t.test(
  'names that objects know by themselves are fields like any other (CVE-2026-21710)',
  async t => {
    origin.clear()
    const fields =
      '__proto__: x\r\nconstructor: y\r\ntoString: z\r\nConnection: close, __proto__, constructor\r\n'
    t.match(await sendAll(world, `${line}Host: a\r\n${fields}\r\n`), /^HTTP\/1\.1 200 /)
    t.strictSame(origin.faults, [])
    t.notOk(origin.requests[0]?.fields.some(([name]) => name === 'constructor'))
    t.match(new Map(origin.requests[0]?.fields), new Map([['tostring', 'z']]))
  },
)
