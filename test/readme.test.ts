/** What the README and the operations page promise is checked against the code. */
import t from 'tap'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { METRICS } from '../src/metrics.ts'
import { CHECKS } from '../src/policy/verdict.ts'
import { readOperations, readReadme, withTable } from './support/readme.ts'
import manifest from '../package.json' with { type: 'json' }

const readme = readReadme()
const operations = readOperations()

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
