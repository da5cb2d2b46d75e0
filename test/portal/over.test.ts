/** What the page says of a site that was opened once: who closed it, when, and what now. */
import tap, { type Test } from 'tap'
import type { Grant } from '../../src/policy/grant.ts'
import { PortalWorld } from './portal-world.ts'

const PAGE = 'http://jeux.example/'

/** The page of a PC once the DSI has opened the site for the asker, and `change` has come upon the grant. */
async function after(
  t: Test,
  change: (world: PortalWorld, grant: Grant) => Partial<Grant>,
  { scope = 'site', ip }: { scope?: 'pc' | 'room' | 'site'; ip?: string } = {},
): Promise<string> {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.approve(scope)
  const [stored] = await world.store.list('grant')
  if (stored === undefined) throw new Error('no grant')
  const { id, version, body } = stored
  await world.store.commit({ by: 'claire', action: 'test', at: world.now }, [
    { kind: 'grant', id, expects: version, body: { ...body, ...change(world, body) } },
  ])
  await world.swap()
  const page = await world.ask(PAGE, ip === undefined ? {} : { ip })
  tap.equal(page.status, 403)
  return page.body
}
const MINUTE_MS = 60_000

tap.test('closed again by the DSI: it says so, and when, and names nobody', async t => {
  const body = await after(t, world => ({
    endedBy: 'claire',
    endedAt: (world.now += 5 * MINUTE_MS),
  }))
  t.match(body, 'La DSI avait ouvert ce site, puis l’a refermé à 10:47.')
  t.match(body, 'Vous pouvez le demander d’un clic.')
  t.match(body, 'Demander le déblocage')
  t.notMatch(body, 'claire')
})

tap.test('an hour that is over: it says when, also once the housekeeping has ended it', async t => {
  const expired = await after(t, world => {
    world.now += 90 * MINUTE_MS
    return {}
  })
  t.match(expired, 'La DSI avait ouvert ce site. Ce temps s’est terminé à 11:42.')
  const tidied = await after(t, (world, { until }) => {
    world.now += 90 * MINUTE_MS
    return { endedBy: 'system', endedAt: until ?? 0 }
  })
  t.match(tidied, 'Ce temps s’est terminé à 11:42.')
})

tap.test('open for another room or another PC: it says for whom', async t => {
  const room = await after(t, () => ({}), { scope: 'room', ip: '10.1.4.2' })
  t.match(room, 'La DSI a ouvert ce site pour une autre salle\u202f: Salle 3.')
  const pc = await after(t, () => ({}), { scope: 'pc', ip: '10.1.3.9' })
  t.match(pc, 'La DSI a ouvert ce site pour un autre poste, pas pour celui-ci.')
})

tap.test('at closed hours the page says the hours and when it opens next', async t => {
  const world = await PortalWorld.open(t)
  const { body } = await world.ask('http://libre.example/', { ip: '10.1.5.2' })
  t.match(body, 'Internet rouvrira dimanche à 08:00.')
  t.match(body, 'Sur ce poste, Internet est ouvert le dimanche de 08:00 à 09:00.')
  t.match(body, 'Le site n’est pas en cause.')
  const games = await world.ask(PAGE, { ip: '10.1.5.2' })
  t.match(games.body, 'Internet rouvrira dimanche à 08:00.')
  t.notMatch(games.body, 'Le site n’est pas en cause.', 'it is refused in the hours, too')
})
