import t from 'tap'
import { createLoginGuard } from '../../src/admin/login-guard.ts'
import { memoryPermits } from '../support/memory-permits.ts'

const LIMITS = { loginAttempts: 5, loginLockMinutes: 15 }
const MINUTE_MS = 60_000

/** As many admin processes as asked for, on one store and one clock. */
function openGuards(count: number, limits = LIMITS) {
  const clock = { now: 0 }
  const permits = memoryPermits(() => clock.now)
  const guards = Array.from({ length: count }, () => createLoginGuard(permits, limits))
  return { clock, permits, guards, guard: guards[0]! }
}

t.test('an account waits after five failures from one address, and only there', async t => {
  const { clock, guard } = openGuards(1)
  const locks = []
  for (let i = 0; i < 5; i++)
    locks.push((await (await guard.admit('claire', '10.0.0.1')).fail()).lock)
  t.strictSame(locks, [undefined, undefined, undefined, undefined, 'account'])
  await t.rejects(guard.admit('claire', '10.0.0.1'), {
    code: 'PREAU_SIGN_IN_LOCKED',
    params: { minutes: 15 },
  })
  await t.resolves(guard.admit('claire', '10.0.0.2'), 'the right person elsewhere')
  await t.resolves(guard.admit('karim', '10.0.0.1'), 'another account here')
  clock.now = 15 * MINUTE_MS
  await t.resolves(guard.admit('claire', '10.0.0.1'), 'after the wait')
})

t.test('two admin processes count together', async t => {
  const { guards } = openGuards(2)
  for (let i = 0; i < 5; i++) await (await guards[i % 2]!.admit('claire', '10.0.0.1')).fail()
  for (const guard of guards)
    await t.rejects(guard.admit('claire', '10.0.0.1'), { code: 'PREAU_SIGN_IN_LOCKED' })
})

t.test('parallel attempts are counted before their password is looked at', async t => {
  const { guards } = openGuards(2)
  const tries = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) => guards[i % 2]!.admit('claire', '10.0.0.1')),
  )
  t.equal(tries.filter(({ status }) => status === 'fulfilled').length, 5)
})

t.test('who knocks at a locked account keeps it shut no longer', async t => {
  const { clock, guard, permits } = openGuards(1)
  for (let i = 0; i < 5; i++) await guard.admit('claire', '10.0.0.1')
  for (let minute = 1; minute < 15; minute++) {
    clock.now = minute * MINUTE_MS
    await t.rejects(guard.admit('claire', '10.0.0.1'), {
      code: 'PREAU_SIGN_IN_LOCKED',
      params: { minutes: 15 - minute },
    })
  }
  clock.now = 15 * MINUTE_MS
  await t.resolves(guard.admit('claire', '10.0.0.1'))
  t.equal(permits.calls.giveBack, 0, 'and touches nothing that others share')
})

t.test('the wait counts from the last attempt that was looked at', async t => {
  const { clock, guard } = openGuards(1)
  for (let i = 0; i < 5; i++) {
    clock.now = i * 5 * MINUTE_MS
    await (await guard.admit('claire', '10.0.0.1')).fail()
  }
  await t.rejects(guard.admit('claire', '10.0.0.1'), {
    code: 'PREAU_SIGN_IN_LOCKED',
    params: { minutes: 15 },
  })
  clock.now += 14 * MINUTE_MS + 59_999
  await t.rejects(guard.admit('claire', '10.0.0.1'), {
    code: 'PREAU_SIGN_IN_LOCKED',
    params: { minutes: 1 },
  })
  clock.now += 1
  await t.resolves(guard.admit('claire', '10.0.0.1'))
})

t.test('one address that tries many accounts is locked as a whole', async t => {
  const { clock, guard, permits } = openGuards(1)
  for (let i = 0; i < 20; i++) await (await guard.admit(`account-${i}`, '10.0.0.1')).fail()
  await t.rejects(guard.admit('account-20', '10.0.0.1'), { code: 'PREAU_SIGN_IN_LOCKED' })
  const before = permits.keys().length
  clock.now = 14 * MINUTE_MS
  for (let i = 0; i < 50; i++) await guard.admit(`other-${i}`, '10.0.0.1').catch(() => undefined)
  t.equal(permits.keys().length, before, 'names it goes on to try leave nothing behind')
  clock.now = 15 * MINUTE_MS
  await t.resolves(guard.admit('claire', '10.0.0.1'), 'nor do they make the wait longer')
})

t.test(
  'an IPv6 client that changes its address within its network stays the same client',
  async t => {
    const { guard } = openGuards(1)
    for (let i = 1; i <= 5; i++)
      await (await guard.admit('claire', `2001:db8:1:2:${i}:0:0:1`)).fail()
    await t.rejects(guard.admit('claire', '2001:db8:1:2:ffff:0:0:9'), {
      code: 'PREAU_SIGN_IN_LOCKED',
    })
  },
)

t.test('a success forgets the failures before it', async t => {
  const { guards } = openGuards(2)
  const [one, two] = [guards[0]!, guards[1]!]
  for (let i = 0; i < 4; i++) await (await one.admit('claire', '10.0.0.1')).fail()
  await (await two.admit('claire', '10.0.0.1')).succeed()
  for (let i = 0; i < 4; i++) await (await one.admit('claire', '10.0.0.1')).fail()
  await t.resolves(two.admit('claire', '10.0.0.1'))
})

t.test('an attempt whose password was not looked at does not count', async t => {
  const { guard, permits } = openGuards(1)
  for (let i = 0; i < 50; i++) await (await guard.admit('claire', '10.0.0.1')).release()
  t.strictSame(permits.keys(), [])
})

t.test('a flood of failures writes 200 audit entries an hour, then counts', async t => {
  const { clock, guards } = openGuards(2)
  const failures = []
  for (let i = 0; i < 300; i++)
    failures.push(await (await guards[i % 2]!.admit('claire', `10.0.${i % 250}.${i}`)).fail())
  t.equal(failures.filter(({ isLogged }) => isLogged).length, 200)
  clock.now = 61 * MINUTE_MS
  const next = async () => (await guards[1]!.admit('claire', `10.9.9.9`)).fail()
  t.match(await next(), { isLogged: true, unlogged: 100 }, 'of all processes, told once')
  t.match(await next(), { isLogged: true, unlogged: 0 })
})

t.test('the store knows no name that was typed', async t => {
  const { guard, permits } = openGuards(1)
  await guard.admit('mot de passe tapé au mauvais endroit', '10.0.0.1')
  t.notMatch(permits.keys().join(' '), 'mot de passe')
  await guard.admit('x'.repeat(10_000), '10.0.0.1')
  t.ok(permits.keys().every(key => key.length < 100))
})

t.test('no limit when the configuration says 0', async t => {
  for (const limits of [
    { ...LIMITS, loginAttempts: 0 },
    { ...LIMITS, loginLockMinutes: 0 },
  ]) {
    const { guard } = openGuards(1, limits)
    for (let i = 0; i < 100; i++)
      t.equal((await (await guard.admit('claire', '10.0.0.1')).fail()).lock, undefined)
  }
})
