import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { isAdminText } from '../../src/admin/texts.ts'
import { createWording } from '../../src/admin/wording.ts'
import { REFUSAL_REASONS } from '../../src/policy/verdict.ts'
import { DURATIONS, SCOPE_KINDS } from '../../src/policy/grant.ts'
import en from '../../views/locales/admin.en.json' with { type: 'json' }
import fr from '../../views/locales/admin.fr.json' with { type: 'json' }

const folder = (path: string) => new URL(`../../${path}/`, import.meta.url)
const read = (path: string) =>
  readdirSync(folder(path), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(eta|ts)$/.test(name))
    .map(name => readFileSync(new URL(name, folder(path)), 'utf8'))
    .join('\n')

t.test('French and English have the same keys and the same places to fill', async t => {
  t.strictSame(Object.keys(fr).sort(), Object.keys(en).sort())
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()
  for (const [key, text] of Object.entries(fr))
    t.strictSame(places(text), places(en[key as keyof typeof en]), key)
})

t.test(
  'every text that a page asks for exists, and every reason, scope and duration has its words',
  async t => {
    const sources = read('views/admin') + read('src/admin')
    const asked = [...sources.matchAll(/\bt\('([\w.-]+)'/g)].map(match => match[1] ?? '')
    t.ok(asked.length > 100)
    for (const key of asked) t.ok(isAdminText(key), key)
    for (const reason of REFUSAL_REASONS) t.ok(isAdminText(`reason.${reason}`), reason)
    for (const kind of SCOPE_KINDS)
      t.ok(
        isAdminText(`scope.${kind}`) &&
          isAdminText(`scopeWords.${kind}`) &&
          isAdminText(`scopeName.${kind}`),
      )
    for (const duration of DURATIONS) t.ok(isAdminText(`duration.${duration}`))
  },
)

t.test('French punctuation keeps its narrow no-break spaces', async t => {
  for (const [key, text] of Object.entries(fr)) {
    if (!key.endsWith('.change')) t.notMatch(text, / [;:!?»]|« |'/, key)
  }
})

t.test('times and scopes are said as people say them', async t => {
  const now = Date.UTC(2026, 8, 14, 8, 40)
  const siteNames = new Map([
    ['0590001A', 'École Jean-Moulin'],
    ['0590009Z', 'Collège Hugo'],
  ])
  const words = createWording({ locale: 'fr', timeZone: 'Europe/Paris', now, siteNames })
  const MINUTE_MS = 60_000
  const ago = (ms: number) => words.moment(now - ms).ago
  t.strictSame([0, 59_999, 3 * MINUTE_MS, 125 * MINUTE_MS, 24 * 60 * MINUTE_MS].map(ago), [
    'maintenant',
    'maintenant',
    'il y a 3\u00a0min',
    'il y a 2\u00a0h',
    'hier',
  ])
  t.equal(words.until(now + 60 * MINUTE_MS), 'jusqu’à 11:40')
  t.equal(words.until(Date.UTC(2026, 8, 14, 22)), 'jusqu’à minuit')
  t.equal(words.until(now + 7 * 24 * 60 * MINUTE_MS), 'jusqu’au 21 septembre à 10:40')
  t.equal(words.until(null), 'sans limite de temps')
  t.equal(
    words.scope({ kind: 'room', site: '0590001A', room: 'Salle 1' }),
    'Salle 1, École Jean-Moulin',
  )
  t.equal(words.scope({ kind: 'site', site: '0590001A' }), 'Toute l’école Jean-Moulin')
  t.equal(words.scopeWords({ kind: 'site', site: '0590009Z' }), 'pour tout le collège Hugo')
  t.equal(words.by('pc:10.1.1.2'), 'Poste 10.1.1.2')
})
