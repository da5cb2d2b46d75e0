import t from 'tap'
import { CURRENT } from '../../src/policy/document.ts'
import { aCurrent } from './fake-work.ts'
import { consentIn, faultOf, rowsOf, readingOf } from './page-text.ts'
import { CATALOGUE, openWorld, POLICY, START, type World } from './world.ts'

const FORM = {
  host: 'lecon.example',
  action: 'block',
  category: '',
  site: '',
  reason: '',
  note: '',
  until: '',
}

async function rulesOf({ store }: World) {
  return (await store.get('policy', CURRENT))?.body.rules ?? []
}

async function city(t: Parameters<typeof openWorld>[0]) {
  const listed = { 'adulte.test': ['adult'], 'adulte2.test': ['adult'], 'echecs.test': ['games'] }
  const current = aCurrent(POLICY, CATALOGUE, listed)
  const world = await openWorld(t, { current })
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
  const out = { ...FORM, host: 'echecs.test', action: 'declassify', category: 'games' }
  const unsaid = await claire.post('/local', out)
  t.equal(unsaid.statusCode, 400)
  t.match(faultOf(unsaid.body, 'note'), 'Dites pourquoi')
  t.equal((await claire.post('/local', { ...out, note: 'Club d’échecs' })).statusCode, 303)
})

t.test('a form with faults comes back whole, with each fault beside its field', async t => {
  const { world, claire } = await city(t)
  const before = await rulesOf(world)
  const sent = {
    ...FORM,
    host: 'pas un site',
    action: 'classify',
    category: 'nothing',
    site: '0590002B',
    reason: 'Pour <tous>',
    note: 'Demandé par le directeur',
    until: '2026-12-18',
  }
  const { statusCode, body } = await claire.post('/local', sent)
  t.equal(statusCode, 400)
  t.match(body, /role="alert"/)
  t.match(faultOf(body, 'host'), 'Un nom de site est attendu')
  t.match(faultOf(body, 'category'), 'Choisissez une catégorie')
  for (const value of [
    'pas un site',
    'Pour &lt;tous&gt;',
    'Demandé par le directeur',
    '2026-12-18',
  ])
    t.match(body, `value="${value}"`)
  t.match(body, /<option value="classify" selected>/)
  t.match(body, /<option value="0590002B" selected>/)
  t.equal(body.match(/ autofocus/g)?.length, 1, 'the first one has the focus')
  t.same(await rulesOf(world), before)
})

t.test('a rule that would not act is said to be so before it is saved, with what wins', async t => {
  const { world, claire } = await city(t)
  const form = { ...FORM, host: 'adulte.test', action: 'allow', note: 'Signalé' }
  const asked = await claire.post('/local', form)
  t.equal(asked.statusCode, 409)
  t.match(readingOf(asked.body), 'Cette règle n’est pas encore enregistrée')
  t.match(
    readingOf(asked.body),
    'aucun effet : le contrôle « Catégorie interdite » (Sites pour adultes) décide avant elle',
  )
  t.match(asked.body, 'value="Signalé"', 'nothing typed is lost')
  t.notOk((await rulesOf(world)).some(({ host }) => host === 'adulte.test'))
  const consent = consentIn(asked.body)
  const other = await claire.post('/local', { ...form, host: 'adulte2.test', consent })
  t.equal(other.statusCode, 409, 'it was agreed to for another site')
  const saved = await claire.post('/local', { ...form, consent })
  t.equal(saved.headers.location, '/local?added=adulte.test')
  const page = readingOf((await claire.get('/local?added=adulte.test')).body)
  t.match(page, 'La règle pour adulte.test est enregistrée ; elle est sans effet')
  t.notMatch(page, 'adulte.test est en vigueur')
})

t.test('two contrary rules for one site are not both called in force', async t => {
  const { claire } = await city(t)
  t.equal((await claire.post('/local', { ...FORM, action: 'allow' })).statusCode, 303)
  const asked = await claire.post('/local', FORM)
  t.equal(asked.statusCode, 409)
  t.match(
    readingOf(asked.body),
    'La règle « ouvert » (Toute la ville) pour ce site n’agirait plus.',
  )
  await claire.post('/local', { ...FORM, consent: consentIn(asked.body) })
  const rows = rowsOf((await claire.get('/local?q=lecon')).body)
  t.match(rows, [/fermé en vigueur/, /ouvert sans effet la règle « fermé » pour lecon\.example/])
})

t.test('what is open by a decision is told to whoever closes the site', async t => {
  const { world, claire } = await city(t)
  await world.grant({ host: 'lecon.example' as never })
  const asked = await claire.post('/local', FORM)
  t.match(
    readingOf(asked.body),
    'n’agirait qu’en partie : un accès ouvert par claire passe avant elle',
  )
})

t.test('the note is for those who run the filter; the reason is told to be for all', async t => {
  const { world, claire } = await city(t)
  await claire.post('/local', { ...FORM, reason: 'Triche', note: 'Plainte de Mme X' })
  t.match((await rulesOf(world))[0], { reason: 'Triche', note: 'Plainte de Mme X' })
  t.match(await world.store.tail({ limit: 1 }), [
    { detail: { effect: 'block', reason: 'Triche', note: 'Plainte de Mme X' } },
  ])
  const form = readingOf((await claire.get('/local')).body)
  t.match(form, 'Raison, lue par tous Affichée sur la page de blocage')
  t.match(form, 'Note interne Lue dans cet espace')
  const journal = readingOf((await claire.get('/audit')).body)
  t.match(journal, 'motif : « Triche » · note interne : « Plainte de Mme X »')
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

t.test(
  'a rule may let its site carry something other than TLS; form, list and journal say so',
  async t => {
    const { world, claire } = await city(t)
    const open = { ...FORM, host: 'turn.example', action: 'allow', tunnels: 'any' }
    t.equal((await claire.post('/local', open)).statusCode, 303)
    t.match((await rulesOf(world))[0], { host: 'turn.example', action: 'allow', tunnels: 'any' })
    t.match((await claire.get('/local')).body, 'ouvert, même sans TLS')
    t.match((await claire.get('/audit')).body, 'même sans TLS sur le port 443')
    const closing = await claire.post('/local', { ...open, action: 'block' })
    t.equal(closing.statusCode, 400)
    t.match(faultOf(closing.body, 'tunnels'), 'Seule une règle qui ouvre')
    t.match(closing.body, /<option value="any" selected>/, 'what was chosen stays')
    t.equal((await claire.post('/local', { ...open, tunnels: '' })).statusCode, 303)
    t.equal((await rulesOf(world)).filter(({ host }) => host === 'turn.example').length, 1)
    t.notMatch((await claire.get('/local')).body, 'ouvert, même sans TLS')
  },
)

t.test('a rule is removed once; the second person is told that it is gone', async t => {
  const { world, claire } = await city(t)
  await world.user('Karim', 'dsi')
  const karim = await world.as('Karim')
  await claire.post('/local', FORM)
  const key = 'lecon.example|block||'
  t.equal((await claire.post('/local/remove', { key })).statusCode, 303)
  t.notOk((await rulesOf(world)).some(rule => rule.host === 'lecon.example'))
  t.equal((await claire.post('/local/remove', { key })).statusCode, 303, 'the same click twice')
  t.equal((await karim.post('/local/remove', { key })).statusCode, 404)
})

t.test(
  'a removed rule is put back as it was, for a few seconds, by whoever removed it',
  async t => {
    const { world, claire } = await city(t)
    await world.user('Karim', 'dsi')
    const karim = await world.as('Karim')
    for (const host of ['a.example', 'b.example', 'c.example'])
      await claire.post('/local', { ...FORM, host, note: 'Conseil du 3 mars' })
    const before = await rulesOf(world)
    const key = 'b.example|block||'
    const gone = await claire.post('/local/remove', { key, from: '?q=example' })
    const place = String(gone.headers.location)
    t.match(place, /^\/local\?q=example&done=b\.example%7Cblock%7C%7C#l-b\.example/)
    const { body } = await claire.get(place.replace(/#.*/, ''))
    t.match(body, 'La règle pour b.example est retirée.')
    t.match(body, 'action="/local/restore"')
    const rows = rowsOf(body).join('\n')
    t.ok(rows.indexOf('c.example') < rows.indexOf('b.example'), 'in its place')
    t.ok(rows.indexOf('b.example') < rows.indexOf('a.example'))
    t.notMatch((await karim.get(place.replace(/#.*/, ''))).body, '/local/restore')
    t.equal((await karim.post('/local/restore', { key })).statusCode, 409)
    world.clock.now += 20_000
    t.equal((await claire.post('/local/restore', { key })).statusCode, 303)
    t.strictSame(await rulesOf(world), before, 'with who, when and why, where it stood')
    t.match((await world.store.tail({ limit: 1 }))[0], { action: 'rule.restore', by: 'Claire' })
    t.equal((await claire.post('/local/restore', { key })).statusCode, 303, 'the same click twice')
    t.strictSame(await rulesOf(world), before)

    await claire.post('/local/remove', { key })
    await karim.post('/local', { ...FORM, host: 'b.example' })
    t.equal((await claire.post('/local/restore', { key })).statusCode, 409, 'added again meanwhile')
    await claire.post('/local/remove', { key })
    world.clock.now += 30_001
    t.equal((await claire.post('/local/restore', { key })).statusCode, 409, 'too late')
  },
)

t.test('many rules are shown in pages', async t => {
  const { world, claire } = await city(t)
  const stored = await world.store.get('policy', CURRENT)
  if (stored === undefined) throw new TypeError('no policy')
  const rules = Array.from({ length: 130 }, (_, i) => ({
    host: `r${i}.example` as never,
    action: 'block' as const,
  }))
  await world.store.commit({ by: 'cli', action: 'policy.import', at: START }, [
    { kind: 'policy', id: CURRENT, body: { ...stored.body, rules } },
  ])
  t.match((await claire.get('/local')).body, 'Page 1 sur 3 · 1 à 50 sur 130')
  const { body } = await claire.get('/local?page=3&q=EXAMPLE')
  t.match(body, '101 à 130 sur 130')
  t.match(body, 'href="/local?q=EXAMPLE&amp;page=2"')
  t.match((await claire.get('/local?page=99')).body, 'Page 3 sur 3')
})

t.test('two people who add a rule at the same time both succeed', async t => {
  const { world, claire } = await city(t)
  await Promise.all(
    ['a.example', 'b.example'].map(host => claire.post('/local', { ...FORM, host })),
  )
  const hosts = (await rulesOf(world)).map(rule => rule.host)
  t.ok(['a.example', 'b.example'].every(host => hosts.some(found => found === host)))
})

t.test('the filter finds by all that a row shows', async t => {
  const { claire } = await city(t)
  const form = { ...FORM, site: '0590001A', reason: 'Triche au bac', note: 'Vu en CM2' }
  await claire.post('/local', form)
  for (const query of ['jean moulin', 'École ferme', 'cm2', 'claire lecon'])
    t.match(
      rowsOf((await claire.get(`/local?q=${encodeURIComponent(query)}`)).body).join(),
      'lecon',
    )
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
  const added = async (host: string) => readingOf((await claire.get(`/local?added=${host}`)).body)
  t.match(await added('lumni.fr'), 'La règle pour lumni.fr est en vigueur.')
  t.notMatch(await added('regle.example'), 'est en vigueur.', 'there is no such rule')
})
