import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { categoryAliases, findCategory, loadCatalogue } from '../../src/categories/catalogue.ts'
import { parseListLine } from '../../src/categories/reading/list-line.ts'
import { starterDigest, starterFiles } from '../../src/categories/starter.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'

const catalogue = loadCatalogue()
const rows = JSON.parse(
  readFileSync(new URL('../../categories/catalogue.json', import.meta.url), 'utf8'),
) as { id: string }[]

t.test(
  'every category has its own id, and a short label and a sentence in both languages',
  async t => {
    t.equal(new Set(rows.map(row => row.id)).size, rows.length)
    t.equal(catalogue.size, rows.length)
    for (const { id, label, description } of catalogue.values()) {
      for (const language of ['fr', 'en'] as const) {
        t.ok(label[language].length > 1 && label[language].length <= 45, `${id} ${language}`)
        t.match(description[language], /^[\p{Lu}].*\.$/u, `${id} ${language}`)
      }
      t.notMatch(`${label.fr}${description.fr}`, /'/, `${id}: the typographic apostrophe`)
    }
  },
)

t.test('labels tell the categories apart', async t => {
  for (const language of ['fr', 'en'] as const) {
    const labels = [...catalogue.values()].map(category => category.label[language])
    t.equal(new Set(labels).size, labels.length)
  }
})

t.test('what nobody may open, what may be coached and what only informs', async t => {
  const severityOf = (id: string) => catalogue.get(id)?.severity
  const never = [...catalogue.values()].filter(({ severity }) => severity === 'never')
  t.same(
    never.map(({ id }) => id),
    ['adult', 'cryptojacking', 'ddos', 'malware', 'phishing', 'stalkerware'],
  )
  for (const id of ['child', 'press', 'liste_bu', 'sexual_education', 'translation'])
    t.equal(severityOf(id), 'informative', id)
  for (const id of ['ai', 'games', 'webmail', 'shortener', 'audio-video'])
    t.equal(severityOf(id), 'warnable', id)
  for (const id of ['vpn', 'redirector', 'drogue', 'social_networks'])
    t.equal(severityOf(id), 'blockable', id)
})

t.test('the names of UT1 links are aliases of categories, and none is a category', async t => {
  t.equal(findCategory('porn'), 'adult')
  t.equal(findCategory('proxy'), 'redirector')
  t.equal(findCategory('games'), 'games')
  t.equal(findCategory('nothing'), undefined)
  for (const [alias, id] of categoryAliases) {
    t.notOk(catalogue.has(alias), alias)
    t.ok(catalogue.has(id), id)
  }
})

t.test('the default policy names known categories only', async t => {
  for (const profile of DEFAULT_POLICY.profiles)
    for (const id of [...profile.blocked, ...profile.warned]) t.ok(catalogue.has(id), id)
})

t.test(
  'every starter list belongs to a category, says what it is, and every line is a host',
  async t => {
    const hosts = new Map<string, string[]>()
    for (const { category, file } of await starterFiles()) {
      t.ok(catalogue.has(category), category)
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
      t.match(lines[0], /^# .*starter list/, file)
      for (const line of lines.slice(1)) {
        const parsed = parseListLine(line)
        if (parsed.kind !== 'hosts') {
          t.fail(`${file}: ${line}`)
          continue
        }
        if (parsed.hosts.join() !== line) t.fail(`${file}: ${line} is not in its plain form`)
        hosts.set(line, [...(hosts.get(line) ?? []), category])
      }
      t.equal(new Set(lines).size, lines.length, `${file}: no line twice`)
    }
    t.ok(hosts.size > 300, `${hosts.size} hosts`)
    t.same(impossiblePairs(hosts), [])
  },
)

/** A host cannot be dangerous and recommended, itself or through its parents. */
function impossiblePairs(hosts: ReadonlyMap<string, string[]>): string[] {
  return [...hosts.keys()].filter(host => {
    const labels = host.split('.')
    const ids = labels.flatMap((_, at) => hosts.get(labels.slice(at).join('.')) ?? [])
    const severities = new Set(ids.map(id => catalogue.get(id)?.severity))
    return severities.has('informative') && (severities.has('never') || ids.includes('redirector'))
  })
}

t.test('no file of the starter folder is left out', async t => {
  const folder = new URL('../../categories/starter/', import.meta.url)
  t.equal((await starterFiles()).length, readdirSync(folder).length)
})

t.test('the digest of the starter lists stays the same while nothing changes', async t => {
  t.match(await starterDigest(), /^[0-9a-f]{64}$/)
  t.equal(await starterDigest(), await starterDigest())
})
