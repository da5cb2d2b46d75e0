import t from 'tap'
import { createSetupLink } from '../../src/admin/setup-link.ts'
import { openWorld, PASSWORD, tokenOf } from './world.ts'

t.test('the first account is made by a link that works once', async t => {
  const world = await openWorld(t)
  const link = await createSetupLink(world.store, world.clock.now)
  const token = link?.token ?? ''
  t.match((await world.browser().get('/sign-in')).body, 'Aucun compte n’existe encore')
  const [one, two] = [world.browser(), world.browser()]
  t.equal((await one.get('/setup?token=wrong')).statusCode, 410)
  t.equal((await one.get('/setup')).statusCode, 410)
  one.csrf = tokenOf(await one.get(`/setup?token=${token}`))
  two.csrf = tokenOf(await two.get(`/setup?token=${token}`))
  const form = { token, name: 'Claire', password: PASSWORD, repeat: PASSWORD }
  t.match(
    (await one.post('/setup', { ...form, repeat: 'autre chose encore' })).body,
    'ne sont pas les mêmes',
  )
  t.equal(
    (await one.post('/setup', { ...form, password: 'court', repeat: 'court' })).statusCode,
    400,
  )
  t.equal((await one.post('/setup', { ...form, token: `${token}x` })).statusCode, 410)
  t.equal(await world.store.count('user'), 0)
  const answers = await Promise.all([
    one.post('/setup', form),
    two.post('/setup', { ...form, name: 'Karim' }),
  ])
  t.strictSame(
    answers.map(answer => answer.statusCode).sort((a, b) => a - b),
    [303, 410],
    'of two at once one wins',
  )
  t.equal(await world.store.count('user'), 1)
  t.equal(await world.store.count('setup'), 0)
  const winner = answers[0]?.statusCode === 303 ? one : two
  t.equal((await winner.get('/users')).statusCode, 200, 'signed in at once')
  t.equal((await world.browser().get(`/setup?token=${token}`)).statusCode, 410)
  t.equal(await createSetupLink(world.store, world.clock.now), undefined)
})

t.test(
  'two machines that are set up at once show a link each, and the first one used ends both',
  async t => {
    const world = await openWorld(t)
    const made = await Promise.all([1, 2].map(() => createSetupLink(world.store, world.clock.now)))
    const tokens = made.map(link => link?.token ?? '')
    const [one, two] = [world.browser(), world.browser()]
    one.csrf = tokenOf(await one.get(`/setup?token=${tokens[0]}`))
    two.csrf = tokenOf(await two.get(`/setup?token=${tokens[1]}`))
    const formOf = (name: string, token = '') => ({
      token,
      name,
      password: PASSWORD,
      repeat: PASSWORD,
    })
    const answers = await Promise.all([
      one.post('/setup', formOf('Claire', tokens[0])),
      two.post('/setup', formOf('Karim', tokens[1])),
    ])
    t.strictSame(
      answers.map(answer => answer.statusCode).sort((a, b) => a - b),
      [303, 410],
    )
    t.equal(await world.store.count('user'), 1)
  },
)

t.test('a link that nobody used ends after a day, or with the tenth of the same', async t => {
  const world = await openWorld(t)
  const make = async () => (await createSetupLink(world.store, world.clock.now))?.token ?? ''
  const isAlive = async (token: string) =>
    (await world.browser().get(`/setup?token=${token}`)).statusCode === 200
  const first = await make()
  const tokens = []
  for (let i = 0; i < 10; i++) tokens.push(await make())
  t.notOk(await isAlive(first))
  for (const token of tokens) t.ok(await isAlive(token))
  world.clock.now += 24 * 3_600_000
  t.notOk(await isAlive(tokens[9]!), 'it lives for a day, whether anything starts or not')
  const last = await make()
  t.notOk(await isAlive(tokens[9]!))
  t.ok(await isAlive(last))
})

t.test('there is always somebody left who can decide', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  await world.user('Ancien', 'dsi', { disabled: true })
  await world.user('Élodie', 'reader')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  const answers = await Promise.all([
    claire.post('/users/karim/role', { role: 'reader' }),
    karim.post('/users/claire/state', { state: 'disabled' }),
  ])
  const done = answers.filter(answer => answer.statusCode === 303)
  t.equal(done.length, 1, 'two who demote each other cannot both succeed')
  const left = answers[0]?.statusCode === 303 ? claire : karim
  const name = left === claire ? 'claire' : 'karim'
  for (const [what, form] of [
    ['role', { role: 'reader' }],
    ['state', { state: 'disabled' }],
  ] as const) {
    const answer = await left.post(`/users/${name}/${what}`, form)
    t.equal(answer.statusCode, 409)
    t.match(answer.body, 'dernier compte qui peut décider')
  }
  t.equal(
    (await left.post(`/users/${encodeURIComponent('élodie')}/role`, { role: 'dsi' })).statusCode,
    303,
  )
  t.equal((await left.post(`/users/${name}/role`, { role: 'reader' })).statusCode, 303)
})

t.test('accounts are added with a sound name and password, once', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const form = { name: 'Karim Benali', role: 'reader', password: PASSWORD }
  t.equal((await claire.post('/users', form)).statusCode, 303)
  t.equal((await claire.post('/users', { ...form, name: 'KARIM benali' })).statusCode, 409)
  for (const name of ['', '   ', '<b>', '-x', 'x'.repeat(65)]) {
    t.equal((await claire.post('/users', { ...form, name })).statusCode, 400, JSON.stringify(name))
  }
  t.equal(
    (await claire.post('/users', { ...form, name: 'Autre', password: 'court' })).statusCode,
    400,
  )
  t.equal((await claire.post('/users', { ...form, name: 'Autre', role: 'root' })).statusCode, 400)
  t.equal((await world.browser().signIn('karim benali')).statusCode, 303)
  t.equal(
    (await claire.post('/users/claire/password', { password: PASSWORD })).statusCode,
    403,
    'one’s own asks for the current one',
  )
  const karim = await world.as('Karim Benali')
  await claire.post(`/users/${encodeURIComponent('karim benali')}/password`, {
    password: 'encore une autre phrase',
  })
  t.equal((await karim.get('/')).statusCode, 303, 'a new password closes the sessions')
})

t.test(
  'many accounts are shown in pages, searched, and a change is taken back from its row',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    for (let i = 0; i < 60; i++) await world.user(`Agent ${i}`, 'reader')
    const claire = await world.as('Claire')
    t.match((await claire.get('/users')).body, 'Page 1 sur 2')
    t.match((await claire.get('/users?q=agent+59')).body, '1 sur 61')
    const { headers } = await claire.post('/users/agent%2059/state', {
      state: 'disabled',
      from: '?q=agent&page=2',
    })
    t.equal(
      headers.location,
      '/users?q=agent&page=2&done=state&name=agent+59#u-agent%2059',
      'the place is kept',
    )
    const { body } = await claire.get(String(headers.location).replace(/#.*/, ''))
    t.match(body, 'Annuler le changement du compte Agent 59')
    await claire.post('/users/agent%2059/state', { state: 'enabled' })
    t.equal((await world.store.get('user', 'agent 59'))?.body.disabled, undefined)
  },
)
