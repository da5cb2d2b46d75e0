/**
 * `npm run soak [-- --minutes N]`: the outages of `npm test` in their long form, on loopback only. It ends by itself, with a
 * table; the exit code is 1 where anything was lost or wrong. `--only NAME` plays one part.
 */
import { parseArgs } from 'node:util'
import { printTable, type Stretch } from './table.ts'
import { openStage } from './stage.ts'
import { PARTS } from './parts.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, only: { type: 'string' } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error('--minutes: 1 to 1440')
const parts = PARTS.filter(({ name }) => values.only === undefined || values.only === name)
if (parts.length === 0) throw new Error(`--only: ${PARTS.map(({ name }) => name).join(', ')}`)

const startedAt = performance.now()
const sinceStart = (): string => {
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
const say = (text: string): void => console.log(`${sinceStart().padStart(6)}  ${text}`)
const shares = parts.map(({ share }) => share).reduce((sum, share) => sum + share, 0)
const stretches: Stretch[] = []
let isWell = true
for (const { name, share, play } of parts) {
  const stage = openStage(say)
  say(`${name} …`)
  try {
    const stretch = await play(stage, (minutes * 60_000 * share) / shares)
    if (stretch === undefined) continue
    stretches.push(stretch)
    const { lost, faultCount } = stretch.outcome
    isWell &&= lost.length === 0 && faultCount === 0
  } catch (error) {
    isWell = false
    say(`${name} broke off: ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    await stage.close()
  }
}
console.log('')
printTable(stretches, console.log)
console.log(
  `${sinceStart()} in all; ${isWell ? 'nothing was lost, nothing was wrong' : 'NOT WELL'}`,
)
process.exit(isWell ? 0 : 1)
