/** What people do is written with who, when and what; nobody who uses the app can leave it out, change it or take it away. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FORM, MATRIX, prepare, routesOf } from '../admin/routes.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { putSource } from '../admin/list-world.ts'
import { openWorld, POLICY, type Browser, type World } from '../admin/world.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { runCli } from '../support/product.ts'

/** Nothing is done yet when they answer: the work writes its own entry; nobody has seen anything. */
const WRITES_LATER = new Set(['POST /lists/sources/:name/fetch', 'POST /requests/seen'])

/** What is put back has been taken away a moment before, by the same person. */
async function takeAway(world: World, claire: Browser, url: string, form: Record<string, string>) {
  if (url.startsWith('/local')) {
    const note = { by: 'system', action: 'policy.default', at: world.clock.now }
    await world.store.commit(note, [{ kind: 'policy', id: CURRENT, body: POLICY }])
  }
  if (url.startsWith('/lists')) await putSource(world.store, { name: 'autre' })
  const source = await world.store.get('source', 'autre')
  const version = String(source?.version ?? form['version'])
  const act = url.startsWith('/grants') ? 'revoke' : 'remove'
  t.equal((await claire.post(url.replace(/restore$/, act), { ...form, version })).statusCode, 303)
  return { version }
}

t.test('every act of the DSI leaves its entry: who, when, on what', async t => {
  const world = await openWorld(t)
  for (const route of Object.keys(MATRIX).filter(name => name.startsWith('POST '))) {
    if (WRITES_LATER.has(route)) continue
    world.clock.now += 60_000
    for (const [name, role] of [
      ['Claire', 'dsi'],
      ['Autre', 'reader'],
    ] as const)
      await world.user(name, role)
    const claire = await world.as('Claire')
    const id = route.startsWith('POST /grants') ? await world.grant() : await world.ask()
    if (route.endsWith('/undo')) await claire.post(`/requests/${id}/refuse`, FORM)
    const url = route.slice('POST '.length).replace(':id', id).replace(':name', 'autre')
    const prepared = await prepare(world, route)
    let form = { ...FORM, role: 'dsi', state: 'disabled', ...prepared }
    if (url.endsWith('/restore')) form = { ...form, ...(await takeAway(world, claire, url, form)) }
    const [last] = await world.store.tail({ limit: 1 })
    const own = route === 'POST /users/:name/role' ? { ...form, role: 'dsi' } : form
    t.equal((await claire.post(url, own)).statusCode, 303, route)
    const entries = await world.store.tail({ limit: 5 })
    const fresh = entries.filter(({ seq }) => seq > (last?.seq ?? 0))
    t.ok(fresh.length >= 1, `${route} is written`)
    for (const { by, at, action } of fresh)
      t.match({ by, at, action }, { by: 'Claire', at: world.clock.now, action: /^[a-z]+\.[a-z]+$/ })
  }
})

t.test('sign-ins are written, also those that fail; a look is not', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.browser('10.66.0.1').signIn('Claire', 'x')
  await world.browser('10.66.0.1').signIn('personne', 'x')
  const claire = await world.as('Claire')
  await claire.get('/audit')
  await claire.post('/sign-out')
  const entries = (await world.store.tail({ limit: 4 })).toReversed()
  t.match(entries, [
    { by: 'system', action: 'session.refuse', subject: 'Claire', detail: { address: '10.66.0.1' } },
    { by: 'system', action: 'session.refuse', subject: 'personne' },
    { by: 'Claire', action: 'session.open', detail: { address: '10.9.0.1' } },
    { by: 'Claire', action: 'session.close' },
  ])
})

t.test('no route writes in the audit, changes it or takes from it', async t => {
  const world = await openWorld(t)
  const routes = routesOf(world.app.printRoutes({ commonPrefix: false }))
  t.strictSame(
    routes.filter(route => route.includes('audit')),
    ['GET /audit'],
  )
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const before = await world.store.tail({ limit: 100 })
  const [entry] = before
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    for (const url of ['/audit', `/audit/${entry?.seq}`, `/audit?before=${entry?.seq}`])
      t.equal((await claire.post(url, {}, { method })).statusCode, 404, `${method} ${url}`)
  }
  t.strictSame(await world.store.tail({ limit: 100 }), before)
})

t.test('what is done on the command line is written too, with before and after', async t => {
  const dir = t.testdir({ 'config.json': '{}' })
  const config = join(dir, 'config.json')
  const file = join(dir, 'policy.json')
  t.equal((await runCli(config, ['user', 'add', 'Alice'], 'correct horse battery\n')).code, 0)
  t.equal((await runCli(config, ['user', 'passwd', 'Alice'], 'battery correct horse\n')).code, 0)
  t.equal((await runCli(config, ['policy', 'export', file])).code, 0)
  writeFileSync(file, readFileSync(file, 'utf8').replace('"Ville de démonstration"', '"Testville"'))
  t.equal((await runCli(config, ['policy', 'import', file])).code, 0)
  const store = await openSqliteStore(join(dir, 'data', 'preau.db'))
  const entries = (await store.tail({ limit: 3 })).toReversed()
  await store.close()
  t.match(entries, [
    { by: 'cli', action: 'user.add', subject: 'Alice', detail: { role: 'dsi' } },
    { by: 'cli', action: 'user.password', subject: 'Alice' },
    {
      by: 'cli',
      action: 'policy.import',
      detail: {
        differences: 1,
        changes: '~ city.name : "Ville de démonstration" → "Testville"',
      },
    },
  ])
  for (const { at } of entries) t.ok(Math.abs(Date.now() - at) < 120_000)
})
