/** What the page says is closed, and why, is true in each case. */
import tap from 'tap'
import type { LocalRule } from '../../src/policy/policy-document.ts'
import { compileLocalRules } from '../../src/policy/local-rules.ts'
import { aPolicy, host } from '../support/snapshot.ts'
import { PortalWorld } from './portal-world.ts'

const headingOf = (body: string): string => /<h1>([^<]*)/.exec(body)?.[1] ?? ''

tap.test('where one page is listed, the page is said to be closed and not the site', async t => {
  const world = await PortalWorld.open(t)
  world.snapshot = {
    ...world.snapshot,
    pages: (name, path) => (name === 'libre.example' && path === '/jeu' ? ['games'] : []),
  }
  const { body } = await world.ask('http://libre.example/jeu')
  t.equal(headingOf(body), 'Cette page n’est pas ouverte ici')
  t.match(body, '<title>libre.example\u202f: page fermée ici</title>')
  t.match(body, 'Cette page (et non tout le site) est classée\u202f: Jeux en ligne')
})

tap.test('a site that is seen through a translator or an archive is named', async t => {
  const world = await PortalWorld.open(t)
  const translated = await world.ask('https://jeux-example.translate.goog/')
  t.equal(headingOf(translated.body), 'Cette page n’est pas ouverte ici')
  t.match(translated.body, 'Ce lien montre jeux.example, un site classé\u202f: Jeux en ligne')
  const archived = await world.ask('http://web.archive.org/web/2020/http://jeux.example/')
  t.match(archived.body, 'Ce lien montre jeux.example, un site classé\u202f: Jeux en ligne')
  t.match(archived.body, 'Pour demander ce site, ouvrez jeux.example directement.')
  t.notMatch(archived.body, 'action="/.preau/unblock"')
  const ruled = await world.ask('https://ville-example.translate.goog/')
  t.match(ruled.body, 'Ce lien montre un autre site\u202f: ville.example. Décision du 3 mars')
  const nested = `http://web.archive.org/web/2/`.repeat(6)
  const hidden = await world.ask(`${nested}http://libre.example/`)
  t.match(hidden.body, 'Cette page ne peut pas être débloquée.')
})

tap.test('the reason of a rule is that of the rule that decides', async t => {
  const world = await PortalWorld.open(t)
  const rule = (reason: string, rest: Partial<LocalRule> = {}): LocalRule => ({
    host: host('ville.example'),
    action: 'block',
    reason,
    ...rest,
  })
  const rules = [rule('Terminée', { until: '2026-01-31' }), rule('En vigueur')]
  world.snapshot = { ...world.snapshot, rules: compileLocalRules(aPolicy({ rules })) }
  const { body } = await world.ask('http://ville.example/')
  t.match(body, 'En vigueur')
  t.notMatch(body, 'Terminée')
})

tap.test('a warning that nobody may pass is said to be closed', async t => {
  const world = await PortalWorld.open(t, { limits: { acknowledgeMinutes: 0 } })
  const { body } = await world.ask('http://blog.example/')
  t.equal(headingOf(body), 'Ce site n’est pas ouvert ici')
})
