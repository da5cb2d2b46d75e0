import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { importList } from '../../src/categories/lists.ts'
import { loadConfig } from '../../src/config.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { openWorld, POLICY, START } from './world.ts'

const AUGUST = new Date(Date.UTC(2026, 7, 17, 6))

async function city(t: Parameters<typeof openWorld>[0], dated: Date = AUGUST) {
  const dataDir = mkdtempSync(join(tmpdir(), 'preau-explain-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const path = join(dataDir, 'games.txt')
  writeFileSync(path, '# games\n<script>.example\njeux.example\n')
  utimesSync(path, dated, dated)
  const catalogue = loadCatalogue()
  const { version } = await importList({
    dataDir,
    current: undefined,
    catalogue,
    now: START,
    path,
    name: 'ut1',
    category: 'games',
  })
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  const decided = { policy: POLICY, lists: version, grants: [] }
  const opened = await openSnapshot({ config, catalogue }, decided)
  const current = { ...opened, onSwap: () => () => undefined }
  const world = await openWorld(t, { dataDir, current })
  await world.user('Lecture', 'reader')
  return world.as('Lecture')
}

t.test(
  'the page names list, file, line and text, and offers a correction to the university',
  async t => {
    const reader = await city(t)
    const { body } = await reader.get('/explain?host=https%3A%2F%2Fwww.jeux.example%2Fa')
    t.match(body, /games\.txt/)
    t.match(body, /3 · <code[^>]*>jeux\.example<\/code>/)
    t.match(body, /catégorie «.games.», ligne 3/)
    t.match(body, 'squidguard_modify.cgi')
  },
)

t.test(
  'the letter bears the date of the list, is in French and whole, whatever is spoken',
  async t => {
    const reader = await city(t)
    const letterIn = async (language: string, from = reader) => {
      const headers = { 'accept-language': language }
      const { body } = await from.get('/explain?host=jeux.example', headers)
      return /<pre class="letter"[^>]*>(.*?)<\/pre>/s.exec(body)?.[1] ?? ''
    }
    const letter = await letterIn('fr')
    t.match(letter, 'figure dans vos listes (version du 17 août 2026)')
    t.ok(letter.endsWith('Merci,\nVille de Saint-Aubin'), 'to its last line')
    t.equal(await letterIn('en'), letter)
    t.match(await letterIn('fr', await city(t, new Date(0))), '(lues le 14 septembre 2026)')
  },
)

t.test('a city rule that concerns the site is shown', async t => {
  const reader = await city(t)
  t.match(
    (await reader.get('/explain?host=www.lumni.fr&ip=10.1.1.4')).body,
    'Ressource de l’Éducation nationale',
  )
})

t.test('a site in no list, and what is no site, are said to be so', async t => {
  const reader = await city(t)
  t.match(
    (await reader.get('/explain?host=nulle-part.example')).body,
    'Ce site n’est dans aucune liste.',
  )
  t.match(
    (await reader.get('/explain?host=%3Cscript%3E')).body,
    'Ce n’est ni un nom de site ni une adresse.',
  )
  t.match((await reader.get('/explain?host=a.example&ip=999')).body, 'Ce n’est pas une adresse IP.')
  t.notMatch((await reader.get('/explain?host=%3Cscript%3E')).body, '<script>"')
})

t.test(
  'without an address any school is meant, and a port that nobody reaches is told',
  async t => {
    const reader = await city(t)
    const { body } = await reader.get('/explain?host=nulle-part.example:22')
    t.match(body, 'd’une école quelconque')
    t.notMatch(body, 'Poste d’aucune école</')
    t.match(body, 'Le proxy n’ouvre le port 22 à personne.')
  },
)
