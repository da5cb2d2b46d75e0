/** The same click or decision sent a hundred times, at once and to several processes, counts once. */
import { join } from 'node:path'
import tap from 'tap'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld } from '../admin/world.ts'
import { PortalWorld } from '../portal/portal-world.ts'

const PAGE = 'http://jeux.example/'

tap.test('a hundred clicks at once on two processes are one request', async t => {
  const world = await PortalWorld.open(t)
  // A second process has a connection of its own to the same file.
  const store = await openSqliteStore(join(t.testdirName, 'preau.db'))
  t.teardown(() => store.close())
  const portals = [world.portal, await world.secondPortal(t, { wrap: () => store })]
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      world.clickJson(PAGE, { ip: `10.1.3.${1 + (i % 20)}`, portal: portals[i % 2]! }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.ok(answers.every(({ body }) => JSON.parse(body).state === 'sent'))
  const [request, ...others] = await world.requests()
  t.strictSame(others, [], 'one row')
  t.equal(request?.body.askers.length, 20, 'every PC is in it')
  const entries = await world.store.tail({ limit: 500 })
  t.equal(entries.filter(({ action }) => action === 'request.open').length, 1)
  t.ok(entries.length <= 40, `${entries.length} entries: a PC that repeats itself writes nothing`)
})

tap.test('a click kept and sent again after the decision opens nothing by itself', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.refuse('non')
  world.now += 60_000
  await world.click(PAGE)
  const states = (await world.requests()).map(({ body }) => body.decision?.outcome ?? 'pending')
  t.strictSame(states.toSorted(), ['pending', 'refused'], 'it asks anew, no more')
  t.strictSame(await world.store.list('grant'), [])
})

tap.test('an approval sent twenty times at once is one grant and one entry', async t => {
  const world = await openWorld(t)
  for (const name of ['Claire', 'Karim']) await world.user(name, 'dsi')
  const browsers = [await world.as('Claire'), await world.as('Karim')]
  const id = await world.ask()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      browsers[i % 2]!.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' }),
    ),
  )
  const statuses = answers.map(({ statusCode }) => statusCode)
  t.equal(statuses.filter(status => status === 303).length, 1)
  t.equal(statuses.filter(status => status === 409).length, 19)
  t.equal(await world.store.count('grant'), 1)
  const entries = await world.store.tail({ limit: 50 })
  t.equal(entries.filter(({ action }) => action === 'request.approve').length, 1)
  const late = await browsers[0]!.post(`/requests/${id}/refuse`, { reason: 'trop tard' })
  t.equal(late.statusCode, 409)
  t.equal((await world.store.get('request', id))?.body.decision?.outcome, 'approved')
})
