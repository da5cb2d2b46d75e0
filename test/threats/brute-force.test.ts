/** Guessing a password: few tries are looked at, from wherever they come, and who knows it comes in all the while. */
import t from 'tap'
import { createLoginGuard, type LoginGuard } from '../../src/admin/login-guard.ts'
import { loadConfig } from '../../src/config.ts'
import { openWorld, PASSWORD, tokenOf } from '../admin/world.ts'
import { memoryPermits } from '../support/memory-permits.ts'

const HOUR_MS = 3_600_000
const { limits } = loadConfig(undefined, {})

/** How many of the tries get as far as the password, on as many admin processes as one likes. */
async function evaluated(
  tries: number,
  next: (i: number) => readonly [account: string, address: string],
  { duringMs = 0, processes = 1 } = {},
): Promise<number> {
  let now = 0
  const permits = memoryPermits(() => now)
  const guards = Array.from({ length: processes }, () => createLoginGuard(permits, limits))
  let count = 0
  for (let i = 0; i < tries; i++) {
    now = (i * duringMs) / tries
    if (await isLookedAt(guards[i % processes]!, ...next(i))) count++
  }
  return count
}

async function isLookedAt(guard: LoginGuard, account: string, address: string): Promise<boolean> {
  try {
    await (await guard.admit(account, address)).fail()
    return true
  } catch {
    return false
  }
}

t.test('of many tries few are looked at', async t => {
  const account = (i: number) => `account-${i}`
  for (const processes of [1, 3]) {
    t.equal(
      await evaluated(1_000, () => ['claire', '10.0.0.1'], { duringMs: HOUR_MS, processes }),
      20,
      'a thousand on one account in an hour',
    )
    t.equal(await evaluated(20, () => ['claire', '10.0.0.1'], { processes }), 5)
    t.equal(
      await evaluated(200, i => [account(i), '10.0.0.1'], { processes }),
      20,
      'two hundred accounts from one address',
    )
    t.equal(
      await evaluated(1_000, i => [account(i), `10.0.0.${i % 4}`], { processes }),
      80,
      'one password on a thousand accounts, from four addresses',
    )
  }
})

t.test('every spelling of an IPv6 network is that network', async t => {
  const within: Record<string, (i: string) => string> = {
    'zeros before the host part': i => `2001:db8::${i}:2:3:4`,
    'zeros in it': i => `2001:db8:0:0:${i}::1`,
    'no zeros at all': i => `2001:db8:1:2:${i}:4:5:6`,
    'the first of a network': i => `2001:db8:7::${i}`,
    'local, with its zone': i => `fe80::${i}%eth0`,
  }
  for (const [name, spell] of Object.entries(within)) {
    const count = await evaluated(300, i => ['claire', spell((i + 1).toString(16))])
    t.ok(count <= 5, `${name}: ${count}`)
  }
  t.equal(
    await evaluated(10, i => ['claire', i % 2 ? '::ffff:10.0.0.1' : '10.0.0.1']),
    5,
    'an IPv4 client of a listener for both',
  )
  t.equal(
    await evaluated(10, i => ['claire', `2001:db8:${i}::1`]),
    10,
    'another network is somebody else',
  )
})

t.test('during a flood the right password opens from another address', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const attacker = world.browser('10.66.0.1')
  attacker.csrf = tokenOf(await attacker.get('/sign-in'))
  const flood = Array.from({ length: 40 }, (_, i) =>
    attacker.post('/sign-in', { name: i % 2 ? 'Claire' : `compte-${i}`, password: 'x' }),
  )
  const own = await world.browser('10.1.0.7').signIn('Claire')
  t.equal(own.statusCode, 303)
  const statuses = (await Promise.all(flood)).map(({ statusCode }) => statusCode)
  t.ok(statuses.filter(status => status === 401).length <= 20)
  t.ok(statuses.every(status => status === 401 || status === 429))
})

t.test('an address that a client makes up does not help it', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const attacker = world.browser('10.66.0.1')
  attacker.csrf = tokenOf(await attacker.get('/sign-in'))
  const statuses = []
  for (let i = 0; i < 8; i++) {
    const made = `10.7.0.${i}`
    const headers = { 'x-forwarded-for': made, 'x-real-ip': made, forwarded: `for=${made}` }
    const answer = await attacker.post('/sign-in', { name: 'Claire', password: 'x' }, { headers })
    statuses.push(answer.statusCode)
  }
  t.strictSame(statuses, [401, 401, 401, 401, 401, 429, 429, 429])
})

t.test('behind the city’s reverse proxy one PC does not lock out the others', async t => {
  const world = await openWorld(t, { admin: { trustedProxies: ['192.0.2.0/24'] } })
  await world.user('Claire', 'dsi')
  const from = async (client: string, password: string) => {
    const headers = { 'x-forwarded-for': client }
    const browser = world.browser('192.0.2.10')
    browser.csrf = tokenOf(await browser.get('/sign-in', headers))
    return (await browser.post('/sign-in', { name: 'Claire', password }, { headers })).statusCode
  }
  for (let i = 0; i < 5; i++) t.equal(await from('10.66.0.1', 'x'), 401)
  t.equal(await from('10.66.0.1', PASSWORD), 429)
  t.equal(await from('10.7.7.7, 10.66.0.1', PASSWORD), 429, 'nor by an address put before')
  t.equal(await from('10.1.0.7', PASSWORD), 303)
})

t.test('an open session is no place to guess its password either', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const stolen = await world.as('Claire')
  const guess = async (current: string) =>
    (await stolen.post('/account', { current, password: 'une phrase du voleur' })).statusCode
  const statuses = []
  for (let i = 0; i < 6; i++) statuses.push(await guess('x'))
  t.strictSame(statuses, [403, 403, 403, 403, 403, 429])
  t.equal(await guess(PASSWORD), 429)
  const entries = await world.store.tail({ limit: 20 })
  t.equal(
    entries.filter(({ action }) => action === 'session.refuse').length,
    5,
    'and it is written',
  )
  t.match(
    entries.find(({ action }) => action === 'session.lock'),
    { subject: 'Claire', detail: { address: '10.9.0.1', lock: 'account' } },
  )
})
