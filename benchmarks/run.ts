/** `npm run bench [name]`: runs each question of this folder and prints its table. Compare ratios, never times. */
import { cpus } from 'node:os'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'

const asked = process.argv.slice(2)
const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort()
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`,
)
for (const file of files) {
  if (asked.length > 0 && !asked.includes(basename(file, '.bench.ts'))) continue
  await import(join(import.meta.dirname, file))
}
