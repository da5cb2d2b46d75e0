/** What the README promises is checked against the code. */
import t from 'tap'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { CHECKS } from '../src/policy/verdict.ts'
import { readReadme, withTable } from './support/readme.ts'
import manifest from '../package.json' with { type: 'json' }

const readme = readReadme()

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
  for (const [, script = ''] of readme.matchAll(/npm run ([a-z]+)/g))
    t.ok(script in manifest.scripts, script)
})

t.test('every metric is in the README', async t => {
  const { METRICS } = await import('../src/metrics.ts')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const name of Object.keys(METRICS)) t.match(readme, `\`${name}\``)
})

t.test('the catalogue of threats names tests that exist, and every attack', async t => {
  const catalogue = readFileSync('test/threats/README.md', 'utf8')
  const named = new Set([...catalogue.matchAll(/test\/[\w./-]+\.test\.ts/g)].map(([file]) => file))
  for (const file of named) t.ok(existsSync(file), file)
  for (const file of globSync('test/threats/*.test.ts')) t.ok(named.has(file), file)
})
