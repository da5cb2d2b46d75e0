import t from 'tap'
import { CURRENT } from '../../src/policy/document.ts'
import { openWorld, START, type World } from './world.ts'

const FORM = {
  host: 'lecon.example',
  action: 'block',
  category: '',
  site: '',
  reason: '',
  until: '',
}

async function rulesOf({ store }: World) {
  return (await store.get('policy', CURRENT))?.body.rules ?? []
}

async function city(t: Parameters<typeof openWorld>[0]) {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  return { world, claire: await world.as('Claire') }
}

t.test('a rule is added with who, when and why, and the journal tells it', async t => {
  const { world, claire } = await city(t)
  const form = {
    ...FORM,
    host: 'https://Lecon.example/page?x',
    site: '0590001A',
    reason: 'Triche',
    until: '2026-12-18',
  }
  t.equal((await claire.post('/local', form)).headers.location, '/local?added=lecon.example')
  t.same((await rulesOf(world))[0], {
    host: 'lecon.example',
    action: 'block',
    site: '0590001A',
    reason: 'Triche',
    until: '2026-12-18',
    by: 'Claire',
    at: new Date(START).toISOString(),
  })
  t.match(await world.store.tail({ limit: 1 }), [
    { action: 'rule.add', by: 'Claire', subject: 'lecon.example' },
  ])
  const page = (await claire.get('/local?added=lecon.example')).body
  for (const text of ['lecon.example', 'Jean-Moulin', 'Triche', '2026-12-18']) t.match(page, text)
})

t.test('a site is put in a category and taken out of it; taking out needs a reason', async t => {
  const { world, claire } = await city(t)
  await claire.post('/local', { ...FORM, action: 'classify', category: 'games' })
  t.match((await rulesOf(world))[0], { action: 'classify', category: 'games' })
  const out = { ...FORM, action: 'declassify', category: 'games' }
  t.equal((await claire.post('/local', out)).statusCode, 400)
  t.equal((await claire.post('/local', { ...out, reason: 'Club d’échecs' })).statusCode, 303)
})

t.test(
  'what is no site, no category, no school or no date is refused, and nothing changes',
  async t => {
    const { world, claire } = await city(t)
    const before = await rulesOf(world)
    for (const wrong of [
      { host: 'com' },
      { host: 'a b' },
      { action: 'open' },
      { action: 'classify', category: 'nothing' },
      { site: '9999999Z' },
      { until: '18/12/2026' },
      { reason: 'x'.repeat(201) },
    ]) {
      const answer = await claire.post('/local', { ...FORM, ...wrong })
      t.ok([400, 413].includes(answer.statusCode), JSON.stringify(wrong))
    }
    t.same(await rulesOf(world), before)
  },
)

t.test('a rule is removed once; the second person is told that it is gone', async t => {
  const { world, claire } = await city(t)
  await claire.post('/local', FORM)
  const key = 'lecon.example|block||'
  t.equal((await claire.post('/local/remove', { key })).statusCode, 303)
  t.notOk((await rulesOf(world)).some(rule => rule.host === 'lecon.example'))
  t.equal((await claire.post('/local/remove', { key })).statusCode, 404)
})

t.test('two people who add a rule at the same time both succeed', async t => {
  const { world, claire } = await city(t)
  await Promise.all(
    ['a.example', 'b.example'].map(host => claire.post('/local', { ...FORM, host })),
  )
  const hosts = (await rulesOf(world)).map(rule => rule.host)
  t.ok(['a.example', 'b.example'].every(host => hosts.some(found => found === host)))
})

t.test('the filter finds by site and by reason', async t => {
  const { claire } = await city(t)
  await claire.post('/local', { ...FORM, reason: 'Triche au bac' })
  t.match((await claire.get('/local?q=TRICHE')).body, 'lecon.example')
  t.notMatch((await claire.get('/local?q=nulle-part')).body, 'lecon.example')
})

t.test('a link puts no sentence of its own on the page', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const told = 'Votre session est menacée : appelez le 06 00 00 00 00'
  for (const name of ['added', 'removed'])
    t.notMatch((await claire.get(`/local?${name}=${encodeURIComponent(told)}`)).body, 'appelez')
  t.match((await claire.get('/local?added=regle.example')).body, 'regle.example')
})
