import t from 'tap'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld, type World } from './world.ts'

async function listen(url: string, cookie: string): Promise<IncomingMessage> {
  const client = request(`${url}/events`, {
    headers: { cookie: `preau_session=${cookie}` },
    agent: false,
  })
  client.on('error', () => undefined)
  client.end()
  const [answer] = (await once(client, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined)
  answer.setEncoding('utf8')
  return answer
}

async function nextEvent(stream: IncomingMessage): Promise<string> {
  for (;;) {
    const [text] = (await once(stream, 'data')) as [string]
    if (text.includes('event:')) return text
  }
}

async function start(world: World): Promise<{ url: string; cookie: string }> {
  await world.user('Claire', 'dsi')
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await world.as('Claire')
  return { url, cookie: browser.cookies.get('preau_session') ?? '' }
}

t.test('an open list hears of a new request at once, on the real store', async t => {
  const store = await openSqliteStore(`${t.testdir()}/preau.db`)
  t.teardown(() => store.close())
  const world = await openWorld(t, { store })
  const { url, cookie } = await start(world)
  const stream = await listen(url, cookie)
  t.equal(stream.statusCode, 200)
  t.match(stream.headers, {
    'content-type': /^text\/event-stream/,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  const told = nextEvent(stream)
  const since = performance.now()
  await world.ask()
  t.match(await told, 'event: changed')
  t.ok(performance.now() - since < 1_000, `after ${Math.round(performance.now() - since)} ms`)
})

t.test('nobody listens without a session', async t => {
  const world = await openWorld(t)
  const { url } = await start(world)
  t.equal((await listen(url, 'x'.repeat(43))).statusCode, 401)
})

t.test('a session opens eight streams at most, and closing the app ends them', async t => {
  const world = await openWorld(t)
  const { url, cookie } = await start(world)
  const streams = []
  for (let i = 0; i < 8; i++) streams.push(await listen(url, cookie))
  t.strictSame(
    streams.map(stream => stream.statusCode),
    Array(8).fill(200),
  )
  t.equal((await listen(url, cookie)).statusCode, 429)
  streams[0]?.destroy()
  const ends = Promise.all(streams.slice(1).map(stream => once(stream.resume(), 'close')))
  await world.app.close()
  await ends
})
