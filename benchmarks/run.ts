/**
 * `npm run bench [-- name...] [--json FILE]`: runs the questions of this folder and prints their tables. Without a name: all but those
 * that take minutes. Compare ratios, never times.
 */
import { globSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { tables } from './support/report.ts'

/** Only when named. */
const LONG = [
  'answers',
  'change',
  'endurance',
  'journey',
  'lists',
  'reload',
  'standing',
  'store',
  'year',
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  // `minutes` is read by `endurance`.
  options: { json: { type: 'string' }, minutes: { type: 'string' } },
})
const names = globSync('*.bench.ts', { cwd: import.meta.dirname })
  .map(file => basename(file, '.bench.ts'))
  .sort()
const unknown = positionals.find(name => !names.includes(name))
if (unknown !== undefined)
  throw new Error(`no question "${unknown}"; there are ${names.join(', ')}`)
const asked = positionals.length > 0 ? positionals : names.filter(name => !LONG.includes(name))
// Through `exit`, so that what was started goes too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
for (const name of asked) await import(join(import.meta.dirname, `${name}.bench.ts`))
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify(tables, undefined, 2)}\n`)
