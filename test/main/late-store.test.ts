/** A process that comes back while its store cannot be opened goes on, and has its store as soon as it can be opened. */
import t from 'tap'
import { chmodSync, writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { loadConfig } from '../../src/config.ts'
import { LateStore, openStoreLate } from '../../src/main/late-store.ts'
import { PreauError } from '../../src/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { eventually } from '../support/proxy-world.ts'

const note = { by: 'x', action: 'x', at: 0 }

t.test(
  'calls are refused at once until it is open, then served, and who watches is woken',
  async t => {
    const file = join(t.testdir(), 'preau.db')
    let isThere = false
    const open = async () => {
      if (!isThere) throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'locked' })
      return openSqliteStore(file)
    }
    const store = new LateStore(open, new Error('locked'))
    let woken = 0
    const stop = store.watch(() => woken++)
    store.watch(() => undefined)()
    const refused = { code: 'PREAU_STORE_UNAVAILABLE' }
    await t.rejects(store.get('policy', 'current'), refused)
    await t.rejects(store.list('grant'), refused)
    await t.rejects(store.count('grant'), refused)
    await t.rejects(store.commit(note, []), refused)
    await t.rejects(store.permits.take('k', { max: 1, windowMs: 1_000 }), refused)
    t.match(await store.check(), { isUp: false, detail: { fr: 'locked', en: 'locked' } })
    isThere = true
    await eventually(() => woken > 0)
    t.equal(woken, 1)
    t.equal(await store.count('grant'), 0)
    t.match(await store.check(), { isUp: true })
    await store.commit(note, [{ kind: 'latest', id: 'a', body: { requestId: 'r' } }])
    await eventually(() => woken > 1)
    stop()
    await store.close()
  },
)

t.test(
  'a file that is damaged is left as it is, and taken when a backup is in its place',
  async t => {
    const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
    const file = join(config.dataDir, 'preau.db')
    writeFileSync(file, 'damage'.repeat(1_000))
    const store = await openStoreLate(config, pino({ enabled: false }))
    await t.rejects(store.get('policy', 'current'), { code: 'PREAU_STORE_UNAVAILABLE' })
    rmSync(file)
    await (await openSqliteStore(file)).close()
    chmodSync(file, 0o600)
    const isOpen = async (): Promise<boolean> => (await store.check()).isUp
    let up = false
    await eventually(() => {
      void isOpen().then(now => (up = now))
      return up
    }, 5_000)
    t.equal(await store.count('grant'), 0)
    await store.close()
  },
)

t.test('one that is closed before it could be opened opens nothing more', async t => {
  let tries = 0
  const open = async (): Promise<never> => {
    tries += 1
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' })
  }
  const store = new LateStore(open, new Error('down'))
  await eventually(() => tries > 0)
  await store.close()
  const before = tries
  await new Promise(resolve => setTimeout(resolve, 500))
  t.equal(tries, before)
})
