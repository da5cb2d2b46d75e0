import t from 'tap'
import { createLoginGuard } from '../../src/admin/login-guard.ts'

const LIMITS = { loginAttempts: 5, loginLockMinutes: 15 }
const MINUTE_MS = 60_000

t.test('an account waits after five failures from one address, and only there', async t => {
  let now = 0
  const guard = createLoginGuard(LIMITS, () => now)
  const locks = [1, 2, 3, 4, 5].map(() => guard.admit('claire', '10.0.0.1').fail().lock)
  t.strictSame(locks, [undefined, undefined, undefined, undefined, 'account'])
  t.throws(() => guard.admit('claire', '10.0.0.1'), {
    code: 'PREAU_SIGN_IN_LOCKED',
    params: { minutes: 15 },
  })
  t.doesNotThrow(() => guard.admit('claire', '10.0.0.2'), 'the right person elsewhere')
  t.doesNotThrow(() => guard.admit('karim', '10.0.0.1'), 'another account here')
  now = 15 * MINUTE_MS
  t.doesNotThrow(() => guard.admit('claire', '10.0.0.1'), 'after the wait')
})

t.test('parallel attempts are counted before their password is looked at', async t => {
  const guard = createLoginGuard(LIMITS, () => 0)
  for (let i = 0; i < 5; i++) guard.admit('claire', '10.0.0.1')
  t.throws(() => guard.admit('claire', '10.0.0.1'), { code: 'PREAU_SIGN_IN_LOCKED' })
})

t.test('one address that tries many accounts is locked as a whole', async t => {
  const guard = createLoginGuard(LIMITS, () => 0)
  for (let i = 0; i < 20; i++) guard.admit(`account-${i}`, '10.0.0.1').fail()
  t.throws(() => guard.admit('account-20', '10.0.0.1'), { code: 'PREAU_SIGN_IN_LOCKED' })
})

t.test(
  'an IPv6 client that changes its address within its network stays the same client',
  async t => {
    const guard = createLoginGuard(LIMITS, () => 0)
    for (let i = 1; i <= 5; i++) guard.admit('claire', `2001:db8:1:2:${i}:0:0:1`).fail()
    t.throws(() => guard.admit('claire', '2001:db8:1:2:ffff:0:0:9'), {
      code: 'PREAU_SIGN_IN_LOCKED',
    })
  },
)

t.test('a success forgets the failures before it', async t => {
  const guard = createLoginGuard(LIMITS, () => 0)
  for (let i = 0; i < 4; i++) guard.admit('claire', '10.0.0.1').fail()
  guard.admit('claire', '10.0.0.1').succeed()
  for (let i = 0; i < 4; i++) guard.admit('claire', '10.0.0.1').fail()
  t.doesNotThrow(() => guard.admit('claire', '10.0.0.1'))
})

t.test('a flood of failures writes 200 audit entries an hour, then counts', async t => {
  let now = 0
  const guard = createLoginGuard(LIMITS, () => now)
  const failures = Array.from({ length: 300 }, (_, i) =>
    guard.admit('claire', `10.0.${i % 250}.${i}`).fail(),
  )
  t.equal(failures.filter(({ isLogged }) => isLogged).length, 200)
  now = 61 * MINUTE_MS
  t.match(guard.admit('claire', '10.9.9.9').fail(), { isLogged: true, unlogged: 100 })
})

t.test('no limit when the configuration says 0', async t => {
  const guard = createLoginGuard({ loginAttempts: 0, loginLockMinutes: 15 }, () => 0)
  for (let i = 0; i < 100; i++) t.equal(guard.admit('claire', '10.0.0.1').fail().lock, undefined)
})
