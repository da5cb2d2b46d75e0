import t from 'tap'
import { rowsOf } from './page-text.ts'
import { openWorld, type World } from './world.ts'

const refused = (by: string, reason: string) =>
  ({ outcome: 'refused', by, at: Date.UTC(2026, 8, 14, 8), reason }) as const

/** Decided requests, the newest last. */
async function decideMany(world: World, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++)
    await world.ask({ host: `site-${i}.example` as never, decision: refused('Karim', 'Jeu') })
}

t.test('decisions are found by site, place, person and reason, and chosen by outcome', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  await decideMany(world, 3)
  await world.ask({
    host: 'lecture.example' as never,
    site: '0590003C',
    askers: [['10.3.1.4', 'BCD', 3]],
    decision: refused('Élodie', 'Contraire à la charte'),
  })
  const open = await world.ask({ host: 'ouvert.example' as never })
  await claire.post(`/requests/${open}/approve`, { scope: 'pc', duration: 'hour' })
  const search = async (query: string) => rowsOf((await claire.get(`/requests?${query}`)).body)
  for (const q of ['lecture', 'tilleuls+bcd', 'elodie', 'CHARTE']) {
    const rows = await search(`q=${q}`)
    t.equal(rows.length, 1, q)
    t.match(rows[0], 'lecture.example', q)
  }
  t.match(await search('outcome=approved'), [/ouvert\.example/])
  t.equal((await search('outcome=refused')).length, 4)
  t.strictSame(await search('q=nulle-part'), [])
  t.match((await claire.get('/requests?q=nulle-part')).body, 'Rien ne correspond')
})

t.test('a search goes through all pages, and says where it stops', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  await world.ask({ host: 'tout-premier.example' as never, decision: refused('Karim', 'Jeu') })
  await decideMany(world, 310)
  const first = await claire.get('/requests?q=jeu')
  t.equal(rowsOf(first.body).length, 50)
  const link = /href="(\/requests\?q=jeu&amp;before=[^"]+)"/.exec(first.body)?.[1] ?? ''
  const second = await claire.get(link.replaceAll('&amp;', '&'))
  // Of the same millisecond either may come first.
  const numbers = [first, second].flatMap(({ body }) =>
    rowsOf(body).map(row => Number(/site-(\d+)\.example/.exec(row)?.[1])),
  )
  t.equal(new Set(numbers).size, 100, 'without an overlap')
  t.ok(Math.min(...numbers) >= 205, 'without a gap')
  t.match(rowsOf((await claire.get('/requests?q=tout-premier')).body), [/tout-premier/])
})
