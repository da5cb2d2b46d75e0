import t from 'tap'
import { openWorld } from './world.ts'

const JSON_ONLY = { headers: { accept: 'application/json' } }

t.test('an approval is taken back: the access ends and the request waits again', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  await claire.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })
  const list = await claire.get(`/?done=${id}`)
  t.match(list.body, /Débloqué[\s\S]*pour le poste 10\.1\.1\.21/)
  t.match(list.body, `action="/requests/${id}/undo"`)
  world.clock.now += 8_000
  const answer = await claire.post(`/requests/${id}/undo`, {}, JSON_ONLY)
  t.match(answer.json().text, 'de nouveau en attente')
  t.equal((await world.store.get('request', id))?.body.decision, undefined)
  const [grant] = await world.store.list('grant')
  t.match(grant?.body, { endedBy: 'Claire', endedAt: world.clock.now })
  t.match((await world.store.tail({ limit: 1 }))[0], {
    action: 'request.undo',
    by: 'Claire',
    subject: 'jeux.example',
  })
  t.equal(
    (await claire.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })).statusCode,
    303,
  )
})

t.test(
  'a decision is not taken back by somebody else, nor later, nor once the school asked again',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    await world.user('Karim', 'dsi')
    const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
    const refuse = async () => {
      const id = await world.ask()
      await claire.post(`/requests/${id}/refuse`, { reason: 'Site commercial' })
      return id
    }
    const others = await refuse()
    t.equal((await karim.post(`/requests/${others}/undo`)).statusCode, 409)
    const late = await refuse()
    world.clock.now += 30_001
    t.equal((await claire.post(`/requests/${late}/undo`)).statusCode, 409)
    const askedAgain = await refuse()
    await world.ask()
    t.equal((await claire.post(`/requests/${askedAgain}/undo`)).statusCode, 409)
    const pending = await world.ask({ host: 'autre.example' as never })
    t.equal(
      (await claire.post(`/requests/${pending}/undo`)).statusCode,
      409,
      'nothing to take back',
    )
    for (const id of [others, late, askedAgain]) {
      t.equal((await world.store.get('request', id))?.body.decision?.outcome, 'refused')
    }
  },
)

t.test('revoking ends a grant once, and says so', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.grant()
  const gone = await world.grant({ host: 'expire.example' as never, until: world.clock.now - 1 })
  const page = await claire.get('/grants')
  t.match(page.body, 'kahoot.example')
  t.match(page.body, 'Salle 1, École Jean-Moulin')
  t.notMatch(page.body, 'expire.example', 'an expired one is not shown as open')
  const answer = await claire.post(`/grants/${id}/revoke`)
  t.match((await world.store.get('grant', id))?.body, {
    endedBy: 'Claire',
    endedAt: world.clock.now,
  })
  t.match((await world.store.tail({ limit: 1 }))[0], {
    action: 'grant.revoke',
    subject: 'kahoot.example',
  })
  const version = (await world.store.get('grant', id))?.version
  await claire.post(`/grants/${id}/revoke`)
  t.equal((await world.store.get('grant', id))?.version, version, 'a second click changes nothing')
  const after = await claire.get(String(answer.headers.location))
  t.match(after.body, 'est fermé')
  t.match(after.body, '0 accès ouverts')
  t.match(after.body, `action="/grants/${id}/restore"`, 'its row stays, with the way back')
  t.ok(gone)
})

t.test('a revoked access is opened again by whoever closed it, for a few seconds', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  const isOpen = async (id: string) =>
    (await world.store.get('grant', id))?.body.endedAt === undefined
  const closed = async (until: number | null) => {
    const id = await world.grant({ until })
    await claire.post(`/grants/${id}/revoke`)
    return id
  }
  const id = await closed(null)
  t.equal((await karim.post(`/grants/${id}/restore`)).statusCode, 409, 'not by somebody else')
  const query = 'q=kahoot&who=room&page=2'
  const answer = await claire.post(`/grants/${id}/restore`, { from: `?${query}&evil=//x` })
  t.equal(answer.headers.location, `/grants?${query}&undone=${id}#g-${id}`, 'the place is kept')
  t.equal(await isOpen(id), true)
  t.equal(await world.store.count('grant', 'active:approved'), 1)
  t.match((await claire.get(`/grants?undone=${id}`)).body, 'est de nouveau ouvert')
  const version = (await world.store.get('grant', id))?.version
  t.equal((await claire.post(`/grants/${id}/restore`)).statusCode, 303)
  t.equal((await world.store.get('grant', id))?.version, version, 'a second click changes nothing')

  const over = await closed(world.clock.now + 10_000)
  const late = await closed(null)
  world.clock.now += 20_000
  t.equal((await claire.post(`/grants/${over}/restore`)).statusCode, 409, 'its time has come')
  world.clock.now += 10_001
  t.equal((await claire.post(`/grants/${late}/restore`)).statusCode, 409, 'too late')
  t.equal(await isOpen(late), false)
  t.notMatch((await claire.get(`/grants?done=${late}`)).body, '/restore')
})

t.test('a second click at the same moment, on undo or on revoke, finds it done', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const [desk, phone] = [await world.as('Claire'), await world.as('Claire')]
  for (let round = 0; round < 10; round++) {
    const id = await world.ask({ host: `site-${round}.example` as never })
    await desk.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })
    const both = await Promise.all(
      [desk, phone].map(browser => browser.post(`/requests/${id}/undo`, {}, JSON_ONLY)),
    )
    t.strictSame(
      both.map(answer => answer.statusCode).sort((a, b) => a - b),
      [200, 409],
    )
    const loser = both.find(answer => answer.statusCode === 409)
    t.equal(loser?.json().error, 'PREAU_UNDO_TOO_LATE')
    const grant = await world.grant({ host: `site-${round}.example` as never })
    const revokes = await Promise.all(
      [desk, phone].map(browser => browser.post(`/grants/${grant}/revoke`)),
    )
    t.strictSame(
      revokes.map(answer => answer.statusCode),
      [303, 303],
    )
    t.equal((await world.store.get('grant', grant))?.version, 2, 'ended once')
  }
  const entries = await world.store.tail({ limit: 200 })
  const count = (action: string) => entries.filter(entry => entry.action === action).length
  t.strictSame([count('request.undo'), count('grant.revoke')], [10, 10])
})
