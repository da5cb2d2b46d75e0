/** An answer that nobody asked for is never given to the next one who asks (response splitting, CVE-2026-48931). */
import t, { type Test } from 'tap'
import { eventually, openProxyWorld } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'

/** Asks twice over the same pool of origin connections, and says what the second one got. */
async function afterUnasked(
  t: Test,
  first: { readonly bytes: string; readonly later?: string; readonly method?: string },
): Promise<{ second: string; connections: number }> {
  let connections = 0
  let isOver = false
  const port = await openRawOrigin(t, socket => {
    const isFirst = connections++ === 0
    socket.on('close', () => (isOver = true))
    socket.on('end', () => socket.destroy())
    socket.once('data', () => {
      socket.write(isFirst ? first.bytes : OK)
      if (!isFirst || first.later === undefined) socket.on('data', () => socket.write(OK))
      else {
        const { later } = first
        setTimeout(() => socket.write(later), 30)
        socket.on('data', () => socket.write(OK))
      }
    })
  })
  const world = await openProxyWorld(t)
  const ask = (method = 'GET'): Promise<string> =>
    world.raw(
      `${method} http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
  t.match(await ask(first.method), /^HTTP\/1\.1 20\d /)
  // Where the proxy closes the connection it has seen what nobody asked for.
  await eventually(() => isOver)
  const second = await ask()
  return { second, connections }
}

t.test(
  'an unasked answer, at once or while the connection waits, is thrown away with it',
  async t => {
    const rows = {
      'in the same segment': { bytes: OK + POISON },
      'while the connection waits': { bytes: OK, later: POISON },
      'half of one': { bytes: OK, later: POISON.slice(0, 20) },
      'behind an answer to HEAD': {
        bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n' + POISON,
        method: 'HEAD',
      },
      'behind a 204 with a length': {
        bytes: `HTTP/1.1 204 No\r\nContent-Length: 60\r\n\r\n${POISON}`,
      },
      'bytes beyond the length': { bytes: `${OK}surplus` },
      'bytes beyond the last chunk': {
        bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}`,
      },
    }
    for (const [name, first] of Object.entries(rows)) {
      const { second, connections } = await afterUnasked(t, first)
      t.match(second, /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/, `${name}: ${JSON.stringify(second)}`)
      t.equal(connections, 2, `${name}: the connection carries no other request`)
    }
  },
)
