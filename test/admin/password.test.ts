import t from 'tap'
import { hashPassword, verifyOrPretend, verifyPassword } from '../../src/admin/password.ts'

t.test('a password is stored as scrypt with its parameters, never twice the same', async t => {
  const [one, two] = await Promise.all([
    hashPassword('la cour est ouverte'),
    hashPassword('la cour est ouverte'),
  ])
  t.match(one, /^scrypt\$32768\$8\$1\$[\w+/=]{24}\$[\w+/=]{44}$/)
  t.not(one, two)
  t.equal(await verifyPassword('la cour est ouverte', one), true)
  t.equal(await verifyPassword('la cour est fermée', one), false)
})

t.test('an accent typed on another system opens as well', async t => {
  const stored = await hashPassword('l’e\u0301cole est ouverte')
  t.equal(await verifyPassword('l’\u00e9cole est ouverte', stored), true)
})

t.test('a stored value that is no hash, or asks for absurd memory, opens nothing', async t => {
  for (const stored of [
    '',
    'scrypt',
    'plain$1$1$1$AAAA$AAAA',
    'scrypt$1073741824$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA',
    'scrypt$32768$8$1$AAAA$',
  ]) {
    t.equal(await verifyPassword('', stored), false, stored)
  }
})

t.test('an unknown account costs the same work as a known one', async t => {
  const stored = await hashPassword('la cour est ouverte')
  const time = async (value: string | undefined) => {
    // Of the processor, which others on the machine do not lengthen.
    const start = process.cpuUsage()
    t.equal(await verifyOrPretend('une autre phrase', value), false)
    return process.cpuUsage(start).user
  }
  const known: number[] = []
  const unknown: number[] = []
  for (let i = 0; i < 5; i++) {
    known.push(await time(stored))
    unknown.push(await time(undefined))
  }
  const ratio = Math.min(...unknown) / Math.min(...known)
  t.ok(ratio > 0.5 && ratio < 2, `ratio ${ratio.toFixed(2)}`)
})

t.test('a flood of sign-ins is refused before it takes the memory', async t => {
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, () => hashPassword('x'.repeat(12))),
  )
  const refused = results.filter(result => result.status === 'rejected')
  t.equal(refused.length, 60 - 27)
  t.ok(refused.every(({ reason }) => reason.code === 'PREAU_OVERLOADED'))
  await t.resolves(hashPassword('la suite fonctionne'))
})
