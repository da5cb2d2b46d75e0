/** One connection with request upon request and no patience for answers must not hold an origin connection for each. */
import t from 'tap'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRecordingOrigin } from '../support/recording-origin.ts'

t.test(
  'of a thousand requests at once a few reach their origin; those few are answered in order',
  async t => {
    const held: (() => void)[] = []
    const origin = await openRecordingOrigin(t, (request, socket) => {
      const answer = (): void => {
        const body = `<${request.url}>`
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      }
      if (request.url === '/0') held.push(answer)
      else answer()
    })
    const world = await openProxyWorld(t)
    const socket = await world.open()
    const get = (path: string): string =>
      `GET http://free.test:${origin.port}/${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    socket.write(Array.from({ length: 1_000 }, (_, i) => get(String(i))).join(''))
    await eventually(() => held.length > 0 && world.proxy.openExchanges >= 32)
    t.equal(world.proxy.openExchanges, 32)
    held[0]?.()
    const text = await readUntil(socket, 'HTTP/1.1 429 ')
    t.match(text, /^HTTP\/1\.1 200 [^]*<\/0>HTTP\/1\.1 200 /)
    t.match(origin.requests.length, 32)
    t.ok(origin.connections.length <= 32)
    const next = `${get('next').slice(0, -2)}Connection: close\r\n\r\n`
    t.match(await world.raw(next), /<\/next>$/, 'others are served')
  },
)
