/** A load balancer in front of the proxies asks each of them whether it serves. It learns that, and nobody gains a way round. */
import t from 'tap'
import { openProxyWorld } from '../support/proxy-world.ts'

const world = await openProxyWorld(t)

for (const [what, head] of [
  ['HAProxy of itself', 'GET /healthz HTTP/1.0\r\n\r\n'],
  ['HAProxy with a host', 'GET /healthz HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n'],
] as const) {
  t.test(`${what} is answered, and told nothing`, async t => {
    const answer = await world.raw(head)
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    t.match(answer, /\r\n\r\nok\n$/)
    t.notMatch(answer, /preau|server:|via:|node/i)
    t.ok(answer.length < 250, `${answer.length} bytes`)
  })
}

t.test('HEAD is answered without a body', async t => {
  t.match(
    await world.raw('HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/,
  )
})

t.test('one connection may ask again and again', async t => {
  const question = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const last = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const answer = await world.raw(question + question + last)
  t.equal(answer.match(/^HTTP\/1\.1 200 OK/gm)?.length, 3)
})

t.test('it is no exchange: no line in the access log', t => {
  t.strictSame(world.log, [])
  t.end()
})

t.test('nothing else in origin form is answered, and a site of that path is a site', async t => {
  for (const head of [
    'GET /healthz?x HTTP/1.1\r\n',
    'GET /healthz/ HTTP/1.1\r\n',
    'POST /healthz HTTP/1.1\r\nContent-Length: 0\r\n',
    'GET /healthz HTTP/1.1\r\nContent-Length: 3\r\n',
    'GET /readyz HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\n',
  ]) {
    t.match(
      await world.raw(`${head}Host: free.test\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 400 /,
    )
  }
  const refused = await world.raw(
    'GET http://games.test/healthz HTTP/1.1\r\nHost: games.test\r\nConnection: close\r\n\r\n',
  )
  t.match(refused, /^HTTP\/1\.1 403 [^]*refused page/)
})
