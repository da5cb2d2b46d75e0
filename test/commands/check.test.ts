/** What `preau check` prints of a verdict, for people. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { check } from '../../src/commands/check.ts'
import { createTerminal } from '../../src/commands/terminal.ts'
import { loadConfig } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { parsePolicy } from '../../src/policy/policy-document.ts'
import { updateList } from '../../src/updates/update-list.ts'

/** A city of one profile, with a list; answers what a check prints. */
async function openCity(t: Test, policy: object, files: Record<string, string>) {
  const dataDir = t.testdir()
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  const { store, catalogue } = await install(config, Date.now)
  const { version: expects = 'absent' } = (await store.get('policy', CURRENT)) ?? {}
  const { profile, ...rest } = policy as { profile: object }
  const body = parsePolicy(
    {
      version: 1,
      city: { name: 'Ville', timeZone: 'Europe/Paris' },
      profiles: [{ id: 'pupils', label: { fr: 'Élèves', en: 'Pupils' }, ...profile }],
      sites: [],
      ...rest,
    },
    catalogue,
  )
  await store.commit({ by: 'test', action: 'test', at: 0 }, [
    { kind: 'policy', id: CURRENT, expects, body },
  ])
  const path = join(dataDir, 'tree')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  const what = { path, source: 'tree', name: 'ut1', by: 'cli', mode: 'activate' } as const
  await updateList({ store, config, catalogue, clock: Date.now }, what)
  await store.close()
  return async (host: string, ip?: string): Promise<string> => {
    let printed = ''
    const output = { isTTY: false, write: (text: string) => (printed += text) }
    const terminal = createTerminal('fr', output as unknown as NodeJS.WriteStream)
    const isAllowed = await check(config, terminal, { host, ip, json: false })
    printed += isAllowed ? 'exit 0' : 'exit 1'
    return stripVTControlCharacters(printed)
  }
}

t.test(
  'an expression that acts is told as what refuses, one that is off as without effect',
  async t => {
    const ask = await openCity(
      t,
      { profile: { blocked: ['games'] }, expressions: ['games'] },
      { 'games/expressions': 'secretgame\n', 'press/expressions': 'gazette\n' },
    )
    const games = await ask('https://www.secretgame.example')
    t.match(games, /catégories : .*\(games\)/)
    t.match(games, '✗ bloqué')
    t.match(games, /\(games\) — liste ut1, .* ligne 1 : secretgame/)
    const press = await ask('https://gazette.example')
    t.match(press, '✓ autorisé')
    t.match(press, /gazette \(depuis le .*\) \(expression sans effet/)
  },
)

t.test('closed hours are told, and when it opens next', async t => {
  const hours = [{ days: ['mon'], from: '21:00', to: '21:01' }]
  const ask = await openCity(t, { profile: { hours } }, { 'games/domains': 'games.example\n' })
  t.match(
    await ask('https://plain.example'),
    /ouvert le lundi de 21:00 à 21:01 ; rouvre .* à 21:00/,
  )
  const never = await openCity(t, { profile: { hours: [] } }, { 'games/domains': 'g.example\n' })
  t.match(await never('https://plain.example'), 'ce profil n’a pas d’heure d’ouverture')
})

t.test(
  'of an open site it is told whether port 443 is for TLS alone, and who says otherwise',
  async t => {
    const rules = [{ host: 'turn.example', action: 'allow', tunnels: 'any' }]
    const files = { 'games/domains': 'games.example\n' }
    const ask = await openCity(t, { profile: { blocked: ['games'] }, rules }, files)
    t.match(await ask('https://plain.example'), /port 443\s: TLS seulement/)
    t.match(
      await ask('eu.turn.example'),
      /port 443\s: même autre .* \(règle locale pour turn\.example\)/,
    )
    for (const name of ['https://games.example', 'http://turn.example'])
      t.notMatch(await ask(name), /port 443/, name)
    const free = await openCity(t, { profile: { tunnels: 'any' } }, files)
    t.match(await free('https://plain.example'), /port 443\s: même autre .* \(profil pupils\)/)
  },
)

t.test('a port that the proxy opens to nobody is not said to be allowed', async t => {
  const ask = await openCity(t, { profile: {} }, { 'games/domains': 'games.example\n' })
  const answer = await ask('plain.example:22')
  t.match(answer, '✗ le proxy n’ouvre pas le port 22')
  t.match(answer, 'exit 1')
  t.match(await ask('plain.example'), 'exit 0')
})

t.test(
  'without an address it is a PC of any school that asks, and one of none where it is',
  async t => {
    const rooms = [{ name: 'Salle 1', profile: 'pupils', networks: ['10.1.0.0/16'] }]
    const sites = [{ uai: '0750001A', name: 'École Jean-Moulin', rooms }]
    const ask = await openCity(t, { profile: {}, sites }, { 'games/domains': 'games.example\n' })
    t.match(await ask('plain.example'), /poste d’une école quelconque · profil pupils[^]*exit 0/)
    t.match(await ask('plain.example', '10.1.2.3'), /École Jean-Moulin, Salle 1[^]*exit 0/)
    t.match(await ask('plain.example', '192.0.2.1'), /réseau inconnu[^]*exit 1/)
  },
)
