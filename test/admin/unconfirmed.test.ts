/** What stands in the store is not yet kept where replicas lack it: who finds it done is not told that it is. */
import t from 'tap'
import { PreauError } from '../../src/errors.ts'
import { setDisabled, setRole } from '../../src/admin/accounts.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { over } from '../portal/broken-store.ts'
import { openWorld } from './world.ts'

const JSON_ONLY = { headers: { accept: 'application/json' } }

t.test('what was done is said to be done once a failover would keep it', async t => {
  const real = await openSqliteStore(`${t.testdir()}/preau.db`)
  let isKept = true
  const store = over(real, {
    confirmed: async read => {
      const found = await read()
      if (isKept) return found
      throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: '0 of 1 replicas' })
    },
  })
  const world = await openWorld(t, { store })
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const decide = () => claire.post(`/requests/${id}/refuse`, { reason: 'non' }, JSON_ONLY)
  t.equal((await decide()).statusCode, 200)
  const other = await world.ask({ host: 'autre.example' as never })
  await claire.post(`/requests/${other}/approve`, { scope: 'pc', duration: 'hour' }, JSON_ONLY)
  const [grant] = await store.list('grant')
  const end = () => claire.post(`/grants/${grant?.id}/revoke`, {})
  t.equal((await end()).statusCode, 303)
  const act = { by: 'Claire', now: 1 }
  const again = [
    () => setDisabled(store, 'Karim', true, act),
    () => setRole(store, 'Karim', 'reader', act),
  ]
  for (const work of again) await work()
  isKept = false
  t.equal((await decide()).statusCode, 503)
  t.equal((await end()).statusCode, 503)
  for (const work of again) await t.rejects(work(), { code: 'PREAU_STORE_UNAVAILABLE' })
  isKept = true
  t.equal((await decide()).statusCode, 409)
  t.equal((await end()).statusCode, 303)
  for (const work of again) await work()
})
