import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import tap from 'tap'
import { over } from './broken-store.ts'
import { PortalWorld, type Ask } from './portal-world.ts'

const PAGE = 'http://jeux.example/'
const FOLLOW = 'http://jeux.example/.preau/follow'

/** A page that follows: its states, one after the other. */
class Follower {
  readonly states: { state: string; text: string; hint?: string; reload?: true }[] = []
  readonly answer: IncomingMessage
  #rest = ''
  #arrived: () => void = () => undefined

  private constructor(answer: IncomingMessage) {
    this.answer = answer
    answer.setEncoding('utf8').on('data', chunk => this.#take(chunk))
    answer.on('error', () => undefined)
  }

  static async of(world: PortalWorld, options: Ask = {}): Promise<Follower> {
    return new Follower(await world.open(FOLLOW, options))
  }

  #take(chunk: string): void {
    const events = (this.#rest + chunk).split('\n\n')
    this.#rest = events.pop() ?? ''
    for (const event of events) {
      const [name, data] = event.split('\n')
      if (name === 'event: state') this.states.push(JSON.parse(data?.slice('data: '.length) ?? ''))
    }
    this.#arrived()
  }

  /** Resolves once so many states have arrived. */
  async until(count: number): Promise<void> {
    while (this.states.length < count) {
      await new Promise<void>(resolve => (this.#arrived = resolve))
    }
  }
}

tap.test('a waiting page is told sent, seen and approved, then opens the site', async t => {
  const world = await PortalWorld.open(t)
  const follower = await Follower.of(world)
  t.match(follower.answer.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  await follower.until(1)
  await world.click(PAGE, { ip: '10.1.3.8' })
  await follower.until(2)
  world.now += 60_000
  await world.see()
  await follower.until(3)
  await world.approve()
  await follower.until(4)
  t.equal(follower.states[3]?.reload, undefined, 'not before the policy in force opens it')
  await world.swap()
  await once(follower.answer, 'end')
  t.match(follower.states, [
    { state: 'none', text: '' },
    { state: 'sent', text: 'Demande envoyée à 10:42' },
    { state: 'seen', text: 'Demande envoyée à 10:42 · vue par la DSI à 10:43' },
    { state: 'approved', text: 'Acceptée, ouverture…' },
    { state: 'approved', text: 'Acceptée, ouverture…', reload: true },
  ])
  t.equal(follower.states.length, 5)
})

tap.test(
  'it opens once the other workers have heard too: the next request may go to any of them',
  async t => {
    const world = await PortalWorld.open(t)
    const follower = await Follower.of(world)
    await follower.until(1)
    await world.click(PAGE, { ip: '10.1.3.8' })
    await follower.until(2)
    await world.approve()
    await follower.until(3)
    await world.swap()
    // Each looks ten times a second.
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(follower.states.length, 3, 'the news are kept back')
    await once(follower.answer, 'end')
    t.match(follower.states[3], { state: 'approved', reload: true })
  },
)

tap.test('a page that opens late is told the state at once', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  const follower = await Follower.of(world, { headers: { 'accept-language': 'en' } })
  await follower.until(1)
  t.match(follower.states, [{ state: 'sent', text: 'Request sent at 10:42' }])
})

tap.test('a refusal arrives with the reason that the DSI wrote', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  const follower = await Follower.of(world)
  await follower.until(1)
  await world.refuse('Demain\nplutôt <script> \u2028 ?')
  await follower.until(2)
  t.match(follower.states[1], {
    state: 'refused',
    text: 'La DSI n’a pas accepté\u202f: Demain\nplutôt <script> \u2028 ?',
  })
})

tap.test(
  'an approval for one PC opens its page and gives the others their button back',
  async t => {
    const world = await PortalWorld.open(t)
    await world.click(PAGE)
    const asker = await Follower.of(world)
    const other = await Follower.of(world, { ip: '10.1.3.8' })
    const elsewhere = await Follower.of(world, { ip: '10.2.0.1' })
    await Promise.all([asker.until(1), other.until(1), elsewhere.until(1)])
    await world.approve('pc')
    await world.swap()
    await once(asker.answer, 'end')
    await other.until(2)
    t.match(asker.states.at(-1), { state: 'approved', reload: true })
    t.match(other.states.at(-1), { state: 'none', text: /pour un autre poste, pas pour celui-ci/ })
    t.match(elsewhere.states, [{ state: 'none', text: '' }])
    t.equal(elsewhere.states.length, 1, 'another school is not concerned')
  },
)

tap.test('a site that opens without any request opens the page, too', async t => {
  const world = await PortalWorld.open(t)
  const follower = await Follower.of(world)
  await follower.until(1)
  world.snapshot = { ...world.snapshot, categories: () => [] }
  await world.swap()
  await once(follower.answer, 'end')
  t.match(follower.states.at(-1), { state: 'approved', reload: true })
})

tap.test('only pages that may ask can follow, and only from their own origin', async t => {
  const world = await PortalWorld.open(t)
  t.equal((await world.ask('http://adulte.example/.preau/follow')).status, 403)
  t.equal((await world.ask('http://blog.example/.preau/follow')).status, 403)
  t.equal((await world.ask(FOLLOW, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  t.equal((await world.ask(FOLLOW, { headers: { origin: 'http://evil.example' } })).status, 403)
  t.equal((await world.ask(FOLLOW, { method: 'HEAD' })).status, 403, 'not followed, the block page')
})

tap.test(
  'followers are bounded per PC and in all, and a closed page gives its place back',
  async t => {
    const world = await PortalWorld.open(t, { limits: { followersPerPc: 1, followers: 2 } })
    const first = await Follower.of(world)
    t.equal((await world.ask(FOLLOW)).status, 429)
    const second = await Follower.of(world, { ip: '10.1.3.8' })
    t.equal((await world.ask(FOLLOW, { ip: '10.1.3.9' })).status, 429)
    t.strictSame(world.limited, ['followersPerPc', 'followers'])
    await Promise.all([first.until(1), second.until(1)])
    first.answer.destroy()
    let status = 429
    for (let tries = 0; tries < 100 && status === 429; tries++) {
      const answer = await world.open(FOLLOW, { ip: '10.1.3.9' })
      status = answer.statusCode ?? 0
      answer.destroy()
    }
    t.equal(status, 200)
  },
)

tap.test('a school that waits for one site together costs one reading, not one each', async t => {
  let reads = 0
  const world = await PortalWorld.open(t, {
    wrap: store =>
      over(store, {
        get: (kind, id) => {
          reads += 1
          return store.get(kind, id)
        },
      }),
  })
  await world.click(PAGE)
  await (await Follower.of(world)).until(1)
  reads = 0
  const others = await Promise.all(
    Array.from({ length: 19 }, (_, i) => Follower.of(world, { ip: `10.1.3.${i + 20}` })),
  )
  await Promise.all(others.map(other => other.until(1)))
  t.equal(reads, 0, 'who comes later is told what is known')
  await world.see()
  await Promise.all(others.map(other => other.until(2)))
  t.ok(reads <= 4, `${reads} readings for a change that concerns twenty pages`)
})

tap.test('when the portal closes, the pages that follow are let go', async t => {
  const world = await PortalWorld.open(t)
  const follower = await Follower.of(world)
  await follower.until(1)
  const ended = once(follower.answer, 'end')
  await world.portal.app.close()
  await ended
  t.equal(world.listeners.size, 0)
})
