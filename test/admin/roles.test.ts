import t from 'tap'
import { createAdmin } from '../../src/admin/app.ts'
import { aCurrent, createWork } from './fake-work.ts'
import { ELSEWHERE, FORM, MATRIX, prepare, routesOf } from './routes.ts'
import { openWorld, POLICY } from './world.ts'

t.test('every route says who may use it, and this table says the same', async t => {
  const world = await openWorld(t)
  // The tree as Fastify prints it, one line a route, so that a new route without a row fails here.
  const printed = world.app.printRoutes({ commonPrefix: false })
  const routes = routesOf(printed).filter(route => !route.includes('/assets/'))
  t.strictSame(routes.sort(), [...Object.keys(MATRIX), ...ELSEWHERE].sort())
})

for (const [index, who] of ['anonymous', 'reader', 'dsi'].entries()) {
  t.test(`what ${who} may do, route by route`, async t => {
    const world = await openWorld(t)
    for (const [route, row] of Object.entries(MATRIX)) {
      // Anew each time: the route before may have ended a session or changed an account.
      await world.user('Lecture', 'reader')
      await world.user('Claire', 'dsi')
      await world.user('Autre', 'reader')
      const browser =
        who === 'anonymous' ? world.browser() : await world.as(who === 'dsi' ? 'Claire' : 'Lecture')
      const id = route.startsWith('POST /grants') ? await world.grant() : await world.ask()
      if (route.endsWith('/undo') && who === 'dsi')
        await browser.post(`/requests/${id}/refuse`, FORM)
      const form = { ...FORM, ...(await prepare(world, route)) }
      const before = JSON.stringify(await world.store.tail({ limit: 1 }))
      const [method = '', path = ''] = route.split(' ')
      const url = path.replace(':id', id).replace(':name', 'autre')
      const answer = method === 'GET' ? await browser.get(url) : await browser.post(url, form)
      t.equal(answer.statusCode, row[index], route)
      if (answer.statusCode === 403 || who === 'anonymous') {
        t.equal(
          JSON.stringify(await world.store.tail({ limit: 1 })),
          before,
          `${route} changed nothing`,
        )
      }
      if (who === 'reader' && method === 'GET' && answer.statusCode === 200) {
        const forms = answer.body.match(/<form method="post" action="([^"]+)"/g) ?? []
        const allowed = /action="\/(sign-out|account)"/
        t.strictSame(
          forms.filter(form => !allowed.test(form)),
          [],
          `${route} shows a reader no form`,
        )
      }
    }
  })
}

t.test('a route that does not say who may use it stops the start', async t => {
  const world = await openWorld(t)
  const app = await createAdmin({
    store: world.store,
    catalogue: new Map(),
    clock: Date.now,
    config: world.config,
    logger: false,
    proxyAddress: '',
    caFingerprint: () => undefined,
    work: createWork(),
    current: aCurrent(POLICY, new Map()),
    gather: async () => undefined,
  })
  t.teardown(() => app.close())
  t.throws(() => app.get('/forgotten', () => ''))
})
