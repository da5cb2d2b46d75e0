/** The page of the city's certificate, and what the first page says of it. */
import { join } from 'node:path'
import t from 'tap'
import { CURRENT } from '../../src/policy/document.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { describeCertificate, openAuthority } from '../../src/tls/authority.ts'
import { textOf } from './list-world.ts'
import { openWorld, POLICY, START, type World } from './world.ts'

async function withAuthority(t: Parameters<typeof openWorld>[0], cityName: string): Promise<World> {
  const world = await openWorld(t, { dataDir: t.testdir() })
  const folder = join(world.config.dataDir, 'ca')
  const ca = describeCertificate((await openAuthority(folder, { cityName, now: START })).caPem)
  const body = { caFingerprint: ca.fingerprint, ca }
  await world.store.commit({ by: 'system', action: 'ca.record', at: START }, [
    { kind: 'installation', id: CURRENT, body },
  ])
  await world.user('Claire', 'dsi')
  await world.user('Lecture', 'reader')
  return world
}

const installation = async ({ store }: World) => (await store.get('installation', CURRENT))?.body

/** What the form of the page holds, as its reader sees it. */
const shown = async (world: World): Promise<Record<string, string>> => {
  const found = await installation(world)
  return { inUse: found?.caFingerprint ?? '', next: found?.caNext?.fingerprint ?? '' }
}

t.test(
  'the first page says that the certificate has another name than the city, and offers one',
  async t => {
    const world = await withAuthority(t, 'Ville de démonstration')
    const claire = await world.as('Claire')
    const first = await claire.get('/')
    t.match(
      textOf(first),
      /porte le nom «.Ville de démonstration.», et la ville s’appelle «.Ville de Saint-Aubin.»/,
    )
    t.match(first.body, 'href="/certificate"')
    t.match(
      textOf(await claire.get('/certificate')),
      /Au nom de «.Ville de Saint-Aubin.», valable cinq ans/,
    )
    const answer = await claire.post('/certificate/prepare', await shown(world))
    t.equal(answer.statusCode, 303)
    t.match(
      textOf(await claire.get('/certificate?done=prepare')),
      'Le nouveau certificat est prêt.',
    )
    t.match((await installation(world))?.caNext, { cityName: 'Ville de Saint-Aubin' })
    t.match(textOf(await claire.get('/')), 'Un nouveau certificat de la ville est prêt.')
  },
)

t.test('both can be downloaded until the DSI says that the PCs have the new one', async t => {
  const world = await withAuthority(t, 'Ville de démonstration')
  const claire = await world.as('Claire')
  t.match(
    textOf(await claire.get('/certificate')),
    /Valable jusqu’au [a-z]+ \d+ \S+ 2031/,
    'in full',
  )
  await claire.post('/certificate/prepare', await shown(world))
  const before = await installation(world)
  const get = async (file: string) => claire.get(`/certificate/${file}`)
  t.equal((await get('preau-ca.crt')).body, before?.ca?.pem)
  t.equal((await get('preau-ca-next.crt')).body, before?.caNext?.pem)
  t.equal((await get('preau-ca-previous.crt')).statusCode, 404)
  t.equal((await claire.post('/certificate/activate', await shown(world))).statusCode, 303)
  t.equal((await get('preau-ca.crt')).body, before?.caNext?.pem)
  t.equal((await get('preau-ca-previous.crt')).body, before?.ca?.pem)
  t.notMatch(textOf(await claire.get('/')), 'certificat de la ville est prêt')
  t.equal((await claire.post('/certificate/rollback', await shown(world))).statusCode, 303)
  t.equal((await installation(world))?.caFingerprint, before?.caFingerprint)
})

t.test('a click on a page that is no longer true changes nothing', async t => {
  const world = await withAuthority(t, 'Ville de démonstration')
  const claire = await world.as('Claire')
  const old = await shown(world)
  await claire.post('/certificate/prepare', old)
  const before = await installation(world)
  t.equal((await claire.post('/certificate/prepare', old)).statusCode, 409)
  t.equal((await claire.post('/certificate/activate', old)).statusCode, 409)
  t.strictSame(await installation(world), before)
})

t.test(
  'while the city has no name of its own the first page asks for it, and no certificate is offered',
  async t => {
    const world = await withAuthority(t, 'Ville de démonstration')
    const body = { ...POLICY, city: { ...POLICY.city, name: DEFAULT_POLICY.city.name } }
    await world.store.commit({ by: 'cli', action: 'policy.import', at: START }, [
      { kind: 'policy', id: CURRENT, body },
    ])
    const claire = await world.as('Claire')
    t.match(textOf(await claire.get('/')), 'La ville n’a pas encore son nom')
    t.notMatch((await claire.get('/certificate')).body, 'action="/certificate/prepare"')
  },
)

t.test('of the right name nothing is said, and a reader sees no button', async t => {
  const world = await withAuthority(t, 'Ville de Saint-Aubin')
  const reader = await world.as('Lecture')
  t.notMatch(textOf(await reader.get('/')), /certificat/i)
  const page = await reader.get('/certificate')
  t.match(textOf(page), 'Ville de Saint-Aubin')
  t.notMatch(page.body, 'action="/certificate/')
})
