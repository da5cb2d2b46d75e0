import tap from 'tap'
import { PortalWorld } from './portal-world.ts'

tap.test('preau.internal shows how the PC is known', async t => {
  const world = await PortalWorld.open(t)
  for (const url of [
    'http://preau.internal/',
    'https://preau.internal/',
    'http://preau.internal',
  ]) {
    const { status, body } = await world.ask(url)
    t.equal(status, 200, url)
    for (const text of [
      'Ce poste passe par Préau',
      'École Jules Ferry',
      'Salle 3',
      '10.1.3.7',
      'Élèves',
      '10:42',
    ]) {
      t.ok(body.includes(text), text)
    }
  }
})

tap.test('preau.internal tells one truth about the PC', async t => {
  const world = await PortalWorld.open(t)
  const own = async (ip: string): Promise<string> =>
    (await world.ask('http://preau.internal/', { ip })).body
  t.match(await own('10.1.3.7'), 'Ce poste est bien réglé.')
  const unknown = await own('172.20.0.9')
  t.equal(unknown.match(/n’est pas dans la liste de la ville/g)?.length, 1)
  t.notMatch(unknown, /bien réglé|Tout fonctionne/)
  const { snapshot } = world
  world.snapshot = { ...snapshot, servesUnknown: false }
  const refused = await own('172.20.0.9')
  t.match(refused, 'Ce poste n’est pas dans la liste de la ville\u202f: Internet y reste fermé.')
  t.notMatch(refused, 'Profil')
  world.snapshot = snapshot
  const closed = await own('10.1.5.2')
  t.match(closed, 'Internet est fermé à cette heure-ci. Il rouvrira dimanche à 08:00.')
  t.notMatch(closed, 'bien réglé')
  world.now = Date.parse('2026-03-08T07:30:00Z')
  t.match(await own('10.1.5.2'), 'Ce poste est bien réglé.')
})

tap.test('preau.internal hands out the certificate of the city', async t => {
  const caPem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const world = await PortalWorld.open(t, { caPem })
  t.match((await world.ask('http://preau.internal/')).body, 'href="/ca.crt"')
  for (const path of ['/ca.pem', '/ca.crt', '/ca.pem?x=1']) {
    const { status, headers, body } = await world.ask(`http://preau.internal${path}`)
    t.equal(status, 200)
    t.equal(headers['content-type'], 'application/x-x509-ca-cert')
    t.match(headers['content-disposition'], 'attachment')
    t.equal(body, caPem)
  }
})

tap.test('and the one that will replace it, where there is one', async t => {
  const world = await PortalWorld.open(t, { caPem: 'now', nextPem: 'next' })
  t.match((await world.ask('http://preau.internal/')).body, 'href="/ca-next.crt"')
  t.equal((await world.ask('http://preau.internal/ca-next.crt')).body, 'next')
  const other = await PortalWorld.open(t, { caPem: 'now' })
  t.notMatch((await other.ask('http://preau.internal/')).body, 'ca-next')
  t.equal((await other.ask('http://preau.internal/ca-next.crt')).status, 404)
})

tap.test(
  'preau.internal has no other page, and no certificate where there is no authority',
  async t => {
    const world = await PortalWorld.open(t)
    t.notMatch((await world.ask('http://preau.internal/')).body, 'ca.crt')
    for (const path of ['/ca.pem', '/admin', '/.preau/follow', '/%zz', '/../etc/passwd']) {
      const { status, body } = await world.ask(`http://preau.internal${path}`)
      t.equal(status, 404, path)
      t.match(body, 'Page introuvable')
    }
    t.equal((await world.ask('http://preau.internal/', { method: 'POST', body: 'x' })).status, 404)
  },
)
