/** Case 138: a hundred requests and a hundred tunnels at once, blocked ones among them. Each gets its own bytes and its own verdict. */
import t from 'tap'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type RequestListener } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

const EACH = 100
const EVERY_NTH_BLOCKED = 3

/** A body that only this address has, of a size of its own. */
const bodyOf = (url: string): Buffer => {
  const seed = createHash('sha256').update(url).digest()
  return Buffer.concat(Array.from({ length: 1 + (seed.readUInt16BE() % 2_000) }, () => seed))
}

const answer: RequestListener = (request, response) => {
  const heard = createHash('sha256')
  request.on('data', (chunk: Buffer) => heard.update(chunk))
  request.on('end', () => {
    response.setHeader('X-Heard', heard.digest('hex'))
    response.end(bodyOf(request.url ?? ''))
  })
}

const isBlocked = (i: number): boolean => i % EVERY_NTH_BLOCKED === 0
const hostOf = (i: number): string => (isBlocked(i) ? 'games.test' : 'free.test')

t.test('nobody gets the bytes or the verdict of another', async t => {
  const origin = await openOrigin(t, answer)
  const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  t.teardown(() => echo.close())
  const echoPort = (echo.address() as AddressInfo).port
  const world = await openProxyWorld(t)

  const byRequest = async (i: number): Promise<boolean> => {
    const sent = randomBytes(1 + ((i * 997) % 50_000))
    const outgoing = httpRequest({
      port: world.port,
      host: '127.0.0.1',
      method: 'POST',
      path: `http://${hostOf(i)}:${origin.port}/page/${i}`,
      agent: false,
    })
    outgoing.end(sent)
    const [incoming] = (await once(outgoing, 'response')) as [
      NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> },
    ]
    if (isBlocked(i))
      return incoming.statusCode === 403 && (await text(incoming)) === 'refused page'
    const body = await buffer(incoming)
    return (
      body.equals(bodyOf(`/page/${i}`)) &&
      incoming.headers['x-heard'] === createHash('sha256').update(sent).digest('hex')
    )
  }

  const byTunnel = async (i: number): Promise<boolean> => {
    const socket = await world.open()
    socket.write(`CONNECT ${hostOf(i)}:${echoPort} HTTP/1.1\r\nHost: a\r\n\r\n`)
    // A refused one stands too, to show its page in TLS; what is no TLS is told 403 there.
    const head = await readUntil(socket, '\r\n\r\n')
    if (!head.startsWith('HTTP/1.1 200')) return false
    const sent = randomBytes(1 + ((i * 1_013) % 100_000))
    // No TLS record begins so.
    sent[0] = 0x01
    socket.end(sent)
    const came = await buffer(socket)
    return isBlocked(i) ? came.toString('latin1').startsWith('HTTP/1.1 403') : came.equals(sent)
  }

  const all = Array.from({ length: EACH }, (_, i) => [byRequest(i), byTunnel(i)]).flat()
  const right = await Promise.all(all)
  t.equal(right.filter(Boolean).length, 2 * EACH)
  await eventually(() => world.log.length === 2 * EACH)
  t.equal(world.log.length, 2 * EACH)
  t.equal(world.proxy.openExchanges, 0)
  for (const { host, verdict } of world.log)
    if (verdict !== (host === 'games.test' ? 'block' : 'allow')) t.fail(`${host}: ${verdict}`)
  t.notOk(
    origin.requests.some(({ url }) => isBlocked(Number(url.split('/')[2]))),
    'no origin heard of what was blocked',
  )
})
