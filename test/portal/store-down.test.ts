/** What a refused person meets while the store is down or slow: the page at once, an honest answer, and the truth afterwards. */
import tap from 'tap'
import pino from 'pino'
import { over } from './broken-store.ts'
import { never, Outage, unavailable } from './outage.ts'
import { PortalWorld } from './portal-world.ts'

const PAGE = 'http://jeux.example/partie?id=7'
for (const [what, how] of [
  ['down', unavailable],
  ['silent', never],
] as const) {
  tap.test(
    `with the store ${what} the page shows at once and says that asking is not possible`,
    async t => {
      const outage = new Outage(how)
      const world = await PortalWorld.open(t, { wrap: outage.wrap })
      outage.isDown = true
      const startedAt = performance.now()
      const page = await world.ask(PAGE)
      t.ok(performance.now() - startedAt < 2_000)
      t.comment(`measured: ${what}, page after ${Math.round(performance.now() - startedAt)} ms`)
      t.equal(page.status, 403)
      t.match(page.body, 'n’est pas possible pour le moment')
      t.match(
        page.body,
        /<form id="ask" method="post" action="\/\.preau\/unblock">\s*<button>Réessayer/,
      )
      t.match(page.body, '<noscript><meta http-equiv="refresh"', 'it tries again by itself')
      t.match(
        (await world.ask(PAGE, { headers: { 'accept-language': 'en' } })).body,
        'is not possible for now',
      )
    },
  )

  tap.test(`with the store ${what} a click gets an honest answer within two seconds`, async t => {
    const outage = new Outage(how)
    const world = await PortalWorld.open(t, { wrap: outage.wrap })
    outage.isDown = true
    const startedAt = performance.now()
    const [page, answer] = await Promise.all([world.click(PAGE), world.clickJson(PAGE)])
    t.ok(performance.now() - startedAt < 3_000)
    t.equal(page.status, 503)
    t.match(page.body, 'La demande n’est pas partie')
    t.match(page.body, /href="http:\/\/jeux\.example\/partie\?id=7"/, 'with the way back')
    t.match(page.body, 'DSI, poste 4242', 'and whom to call')
    t.equal(answer.status, 503)
    t.match(JSON.parse(answer.body), { state: 'unsent', text: /pas encore partie/ })
    outage.isDown = false
    t.equal((await world.clickJson(PAGE)).status, 200)
    t.equal(
      (await world.requests()).length,
      1,
      'what was not recorded is not recorded later either',
    )
  })

  tap.test(`with the store ${what} a warning stays closed, and says why`, async t => {
    const outage = new Outage(how)
    const world = await PortalWorld.open(t, { wrap: outage.wrap })
    const url = 'http://blog.example/'
    outage.isDown = true
    t.match((await world.ask(url)).body, 'Continuer vers le site')
    const answer = await world.ask('http://blog.example/.preau/continue', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'http://blog.example',
        referer: url,
      },
    })
    t.equal(answer.status, 503)
    t.match(answer.body, 'Ce passage doit être noté avant que le site s’ouvre')
    outage.isDown = false
    t.equal((await world.store.list('grant')).length, 0)
  })
}

tap.test('an outage of 500 clicks takes a handful of lines in the log, and is counted', async t => {
  const lines: string[] = []
  const logger = pino({}, { write: line => void lines.push(line) })
  const outage = new Outage()
  const world = await PortalWorld.open(t, {
    wrap: outage.wrap,
    limits: { unblockPerMinute: 0 },
    logger,
  })
  outage.isDown = true
  for (let round = 0; round < 25; round++) {
    const clicks = Array.from({ length: 20 }, (_, i) =>
      world.clickJson(PAGE, { ip: `10.1.3.${i + 1}` }),
    )
    for (const { status } of await Promise.all(clicks)) t.equal(status, 503)
  }
  await world.portal.app.close()
  t.ok(lines.length <= 5, `${lines.length} lines`)
  t.match(lines[0], 'the portal could not answer')
  t.match(JSON.parse(lines.at(-1) ?? ''), { times: { PREAU_STORE_UNAVAILABLE: 500 } })
})

tap.test('clicks that were given up are not recorded when the store comes back', async t => {
  let release = (): void => undefined
  const gate = new Promise<void>(resolve => (release = resolve))
  let isSlow = true
  const world = await PortalWorld.open(t, {
    wrap: store =>
      over(store, {
        get: async (kind, id) => {
          if (isSlow) await gate
          return store.get(kind, id)
        },
      }),
  })
  // The first is under way when it is given up, so nobody can know; the others wait behind it.
  const clicks = [7, 8, 9].map(pc => world.clickJson(PAGE, { ip: `10.1.3.${pc}` }))
  for (const { status } of await Promise.all(clicks)) t.equal(status, 503)
  isSlow = false
  release()
  await new Promise(resolve => setTimeout(resolve, 200))
  const [request] = await world.requests()
  t.equal(request?.body.askers.length, 1)
})

tap.test(
  'pages that wait survive an outage and are told the truth after it, within seconds',
  async t => {
    const outage = new Outage()
    const world = await PortalWorld.open(t, { wrap: outage.wrap })
    const states: string[] = []
    const answer = await world.open('http://jeux.example/.preau/follow')
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      for (const [, state] of chunk.matchAll(/"state":"(\w+)"/g)) states.push(state ?? '')
    })
    answer.on('error', () => undefined)
    const until = async (state: string): Promise<void> => {
      while (states.at(-1) !== state) await new Promise(resolve => setTimeout(resolve, 10))
    }
    await until('none')
    outage.isDown = true
    // Any commit of the city wakes the followers.
    await world.store.commit({ by: 'x', action: 'x', at: 0 }, [])
    await until('unavailable')
    outage.isDown = false
    const backAt = performance.now()
    await until('none')
    t.comment(`measured: told ${Math.round(performance.now() - backAt)} ms after the return`)
    await world.click(PAGE, { ip: '10.1.3.8' })
    await until('sent')
    outage.isDown = true
    await world.store.commit({ by: 'x', action: 'x', at: 0 }, [])
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(states.at(-1), 'sent', 'who waits for an answer goes on waiting')
    await world.refuse('Pas maintenant')
    outage.isDown = false
    await until('refused')
    t.ok(performance.now() - backAt < 20_000)
    answer.destroy()
  },
)

tap.test(
  'a click that could not be written does not count as heard when it comes again',
  async t => {
    const outage = { isFull: false }
    const world = await PortalWorld.open(t, {
      // Clicks are counted elsewhere than they are written: a full disk, or a Redis that went silent in between.
      wrap: store =>
        over(store, {
          commit: (note, changes) => (outage.isFull ? unavailable() : store.commit(note, changes)),
        }),
    })
    await world.click(PAGE)
    outage.isFull = true
    t.equal((await world.clickJson(PAGE, { ip: '10.1.3.8' })).status, 503)
    outage.isFull = false
    t.equal((await world.clickJson(PAGE, { ip: '10.1.3.8' })).status, 200)
    const [request] = await world.requests()
    t.strictSame(
      request?.body.askers.map(({ ip }) => String(ip)),
      ['10.1.3.7', '10.1.3.8'],
      'who was told that the request is sent is among those who asked',
    )
  },
)
