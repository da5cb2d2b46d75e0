/** What the README and the operations page promise is checked against the code. */
import t from 'tap'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ERRORS } from '../src/errors.ts'
import { METRICS } from '../src/metrics.ts'
import { describeConfig } from '../src/config.ts'
import { CHECKS } from '../src/policy/verdict.ts'
import { readOperations, readReadme, withTable } from './support/readme.ts'
import manifest from '../package.json' with { type: 'json' }

const readme = readReadme()
const operations = readOperations()
const alerts = readFileSync('deploy/alerts.yml', 'utf8')

t.test('the configuration table is what the schema says (npm run docs)', async t => {
  t.equal(readme, withTable(readme))
  t.match(readme, '`limits.pendingPerSite`')
})

t.test('the checks stand there in their order', async t => {
  const listed = [...readme.matchAll(/^\| \d+ \| `([a-z-]+)` \|/gm)].map(match => match[1])
  t.strictSame(
    listed,
    CHECKS.map(check => check.id),
  )
})

t.test('every dependency says why it is there, and every folder exists', async t => {
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const short = name.startsWith('@fastify/') ? name.slice('@fastify/'.length) : name
    t.ok(readme.includes(short), name)
  }
  for (const [, folder = ''] of readme.matchAll(/^\| `((?:src|categories|views)\/[^`]*)` \|/gm))
    t.ok(existsSync(folder), folder)
  for (const [, script = ''] of `${readme}${operations}`.matchAll(/npm run ([a-z]+)/g))
    t.ok(script in manifest.scripts, script)
})

t.test('every metric is told to who runs it', async t => {
  for (const name of Object.keys(METRICS)) t.match(operations, `\`${name}\``)
})

t.test('no alarm waits for a metric or an error code that nothing tells', async t => {
  for (const [name] of `${operations}${alerts}`.matchAll(/\bpreau_[a-z_]+[a-z]/g))
    t.ok(name.replace(/_(?:bucket|sum|count)$/, '') in METRICS || name in METRICS, name)
  for (const [code] of `${operations}${alerts}`.matchAll(/\bPREAU_[A-Z_]+[A-Z]/g))
    if (!describeConfig().some(({ variable }) => variable === code)) t.ok(code in ERRORS, code)
})

t.test('each alarm stands in the runbook, and no other', async t => {
  const rules = [...alerts.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)
  const told = new Set([...operations.matchAll(/`(Preau[A-Z]\w+)`/g)].map(([, name = '']) => name))
  t.strictSame([...told].sort(), rules.sort())
})

const [, runbook = ''] = /^### Runbook$(.*?)^###? /ms.exec(operations) ?? []

t.test('what the runbook quotes is what Préau says', async t => {
  const texts = [
    ...globSync('views/locales/*.fr.json').map(file => readFileSync(file, 'utf8')),
    ...Object.values(ERRORS).map(({ fr }) => fr),
  ].map(evenly)
  const quotes = [...runbook.matchAll(/« ((?:[^«»]|« … »)+) »/g)].map(([, quote = '']) => quote)
  t.ok(quotes.length > 20)
  for (const quote of quotes) {
    // What stands for a parameter differs from case to case: the longest part without one is looked for.
    const [part = ''] = quote
      .split(/« … »|…|\d+(?: j)?|[()]/)
      .toSorted((a, b) => b.length - a.length)
    t.ok(
      texts.some(text => text.includes(evenly(part).trim())),
      quote,
    )
  }
})

t.test('the log says what the runbook looks for in it', async t => {
  const source = globSync('src/**/*.ts').map(file => readFileSync(file, 'utf8'))
  const words = [...runbook.matchAll(/`([a-z]+(?::? [a-z]+){2,})`/g)].map(([, text = '']) => text)
  const sentences = new Set(words.filter(text => !/\bpreau\b/.test(text)))
  t.ok(sentences.size > 4)
  for (const text of sentences)
    t.ok(
      source.some(file => file.includes(text)),
      text,
    )
})

/** French has spaces of several kinds. */
const evenly = (text: string): string => text.replaceAll(/\s+/g, ' ')

/** As GitHub makes them: small letters, no punctuation, a hyphen for each space. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

t.test('every link leads to a page that exists, and to a heading in it', async t => {
  for (const page of ['README.md', 'deploy/README.md', 'test/threats/README.md'])
    for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? page : join(dirname(page), file)
      t.ok(existsSync(target), `${page}: ${link}`)
      if (anchor !== undefined)
        t.ok(anchorsOf(readFileSync(target, 'utf8')).includes(anchor), `${page}: ${link}`)
    }
})

t.test('the catalogue of threats names tests that exist, and every attack', async t => {
  const catalogue = readFileSync('test/threats/README.md', 'utf8')
  const named = new Set([...catalogue.matchAll(/test\/[\w./-]+\.test\.ts/g)].map(([file]) => file))
  for (const file of named) t.ok(existsSync(file), file)
  for (const file of globSync('test/threats/*.test.ts')) t.ok(named.has(file), file)
})
