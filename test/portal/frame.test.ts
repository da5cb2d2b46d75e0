/** A refused site in a frame of another page: a small calm card, true in its words, with nothing to click. */
import tap from 'tap'
import { PortalWorld } from './portal-world.ts'

const framed = async (world: PortalWorld, url: string, dest = 'iframe', more: object = {}) =>
  world.ask(url, { headers: { 'sec-fetch-dest': dest }, ...more })

tap.test('a frame gets a card without a button, which may show in the frame', async t => {
  const world = await PortalWorld.open(t)
  for (const dest of ['iframe', 'frame', 'embed', 'object', 'fencedframe']) {
    const { status, headers, body } = await framed(world, 'https://jeux.example/x', dest)
    t.equal(status, 403, dest)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    const csp = String(headers['content-security-policy'])
    t.match(csp, /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'$/)
    t.notMatch(body, /<(?:button|form|a|script|input)\b/)
    t.match(body, 'Ce site n’est pas ouvert ici')
    t.match(body, 'Ce site est classé\u202f: Jeux en ligne')
    t.match(body, 'Pour demander ce site, ouvrez-le dans un nouvel onglet.')
    t.ok(Buffer.byteLength(body) < 3_000)
  }
})

tap.test('a warned site in a frame is not said to be closed', async t => {
  const world = await PortalWorld.open(t)
  const { body } = await framed(world, 'https://blog.example/')
  t.match(body, 'Ce site s’ouvre après la lecture d’un avertissement')
  t.match(body, 'Pour lire l’avertissement, ouvrez ce site dans un nouvel onglet.')
  t.notMatch(body, /n’est pas ouvert/)
  const line = await framed(world, 'https://blog.example/a.js', 'script')
  t.match(line.body, /^Préau\u202f: blog\.example s’ouvre après la lecture d’un avertissement/)
})

tap.test('what cannot be asked for is not offered, and closed hours are told', async t => {
  const world = await PortalWorld.open(t)
  const never = await framed(world, 'https://adulte.example/')
  t.match(never.body, 'Ce site n’est pas ouvert ici')
  t.notMatch(never.body, 'nouvel onglet')
  const closed = await framed(world, 'https://libre.example/', 'iframe', { ip: '10.1.5.2' })
  t.match(closed.body, 'Internet est fermé à cette heure-ci')
  t.match(closed.body, 'Internet rouvrira dimanche à 08:00.')
  const line = await framed(world, 'https://libre.example/a.js', 'script', { ip: '10.1.5.2' })
  t.equal(
    line.body,
    'Préau\u202f: Internet est fermé à cette heure-ci. Internet rouvrira dimanche à 08:00.\n',
  )
})
