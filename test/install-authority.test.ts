/** The CA of one machine: made once, named after its city, and renewed beside the one that PCs have. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  activateCertificate,
  activateWhereEnded,
  discardCertificate,
  prepareCertificate,
  rollBackCertificate,
} from '../src/admin/certificate-acts.ts'
import { loadConfig } from '../src/config.ts'
import { authorityDir, installAuthority } from '../src/install-authority.ts'
import { CURRENT } from '../src/policy/document.ts'
import { DEFAULT_POLICY } from '../src/policy/default-policy.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import { describeCertificate } from '../src/tls/authority.ts'

const now = Date.now()
const YEARS_MS = 5 * 365 * 86_400_000
const actor = { by: 'Claire', now }

async function machine(t: Test) {
  const dataDir = t.testdir()
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  const store = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => store.close())
  const folder = authorityDir(config)
  const nameCity = async (name: string): Promise<void> => {
    const body = { ...DEFAULT_POLICY, city: { ...DEFAULT_POLICY.city, name } }
    await store.commit({ by: 'cli', action: 'policy.import', at: now }, [
      { kind: 'policy', id: CURRENT, body },
    ])
  }
  return {
    store,
    folder,
    nameCity,
    open: (at = now) => installAuthority(config, store, at),
    installation: async () => (await store.get('installation', CURRENT))?.body,
    file: (name: string) => join(folder, name),
  }
}

t.test('the CA has the name of the city where the city has one before the first start', async t => {
  const { open, nameCity } = await machine(t)
  await nameCity('Ville de Saint-Aubin')
  t.equal(describeCertificate((await open()).caPem).cityName, 'Ville de Saint-Aubin')
})

t.test('a new one in the name of the city stands beside the old one, for the same key', async t => {
  const { open, nameCity, store, folder, installation, file } = await machine(t)
  const first = await open()
  t.equal(describeCertificate(first.caPem).cityName, 'Ville de démonstration')
  const key = readFileSync(file('ca.key'), 'utf8')
  await nameCity('Ville de Saint-Aubin')
  const next = await prepareCertificate(store, folder, actor)
  t.equal(next.cityName, 'Ville de Saint-Aubin')
  t.equal(Math.round((next.notAfter - now) / 86_400_000), 5 * 365)
  t.equal((await open()).fingerprint256, first.fingerprint256, 'PCs have the old one')
  await activateCertificate(store, actor)
  const second = await open()
  t.equal(second.fingerprint256, next.fingerprint)
  t.equal(readFileSync(file('ca.pem'), 'utf8'), next.pem)
  t.equal(readFileSync(file('ca.key'), 'utf8'), key)
  t.match(await installation(), {
    caFingerprint: next.fingerprint,
    caPrevious: { fingerprint: first.fingerprint256 },
    caNext: undefined,
  })
  await rollBackCertificate(store, actor)
  t.equal((await open()).fingerprint256, first.fingerprint256, 'and back')
  t.match(await installation(), { caNext: { fingerprint: next.fingerprint } })
  await discardCertificate(store, actor)
  await t.rejects(activateCertificate(store, actor), { code: 'PREAU_CA_NO_NEXT' })
  await t.rejects(discardCertificate(store, actor), { code: 'PREAU_CA_NO_NEXT' })
  await t.rejects(rollBackCertificate(store, actor), { code: 'PREAU_CA_NO_PREVIOUS' })
})

t.test('a certificate that was lost comes back from the store, a key does not', async t => {
  const { open, file } = await machine(t)
  const first = await open()
  rmSync(file('ca.pem'))
  t.equal((await open()).fingerprint256, first.fingerprint256)
  rmSync(file('ca.key'))
  await t.rejects(open(), { code: 'PREAU_CA_UNREADABLE' })
  rmSync(file('ca.pem'))
  await t.rejects(open(), { code: 'PREAU_CA_LOST' })
  t.notOk(existsSync(file('ca.key')))
})

t.test('a damaged certificate is left as it is', async t => {
  const { open, file } = await machine(t)
  await open()
  writeFileSync(file('ca.pem'), 'x')
  await t.rejects(open(), { code: 'PREAU_CA_UNREADABLE' })
  t.equal(readFileSync(file('ca.pem'), 'utf8'), 'x')
})

t.test(
  'one that has ended is refused, saying what to type, and its successor takes over',
  async t => {
    const { open, store, folder } = await machine(t)
    const first = await open()
    const later = now + YEARS_MS + 1_000
    await t.rejects(open(later), { message: /expired on.*ca renew/ })
    const next = await prepareCertificate(store, folder, { by: 'cli', now: later })
    t.equal((await open(later)).fingerprint256, next.fingerprint, 'nobody has to say so')
    await t.rejects(rollBackCertificate(store, { by: 'cli', now: later }), {
      code: 'PREAU_CA_NO_PREVIOUS',
    })
    t.not(first.fingerprint256, next.fingerprint)
  },
)

t.test('a next one does not take over before its time', async t => {
  const { open, store, folder } = await machine(t)
  const first = await open()
  await prepareCertificate(store, folder, actor)
  await activateWhereEnded(store, first.notAfter - 1)
  t.equal((await open()).fingerprint256, first.fingerprint256)
})
