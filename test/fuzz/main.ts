/**
 * `npm run fuzz [-- --minutes N] [--target X] [--seed N] [--inputs N]`: every target for its part of the time, each in a
 * process of its own; then a table. Without a seed, one of the day's second is taken and printed.
 */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Told } from './engine/run-one.ts'
import { TARGETS } from './targets.ts'

/** A batch that takes longer is a hang. */
const HANG_MS = 60_000
const MINUTE_MS = 60_000
const MB = 1e6

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    target: { type: 'string' },
    seed: { type: 'string' },
    inputs: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Math.floor(Date.now() / 1_000) % 1_000_000_000)
const chosen = TARGETS.filter(({ name }) => values.target === undefined || name === values.target)
if (chosen.length === 0 || !Number.isSafeInteger(seed)) {
  console.error(`--target: ${TARGETS.map(({ name }) => name).join(', ')}; --seed: a number`)
  process.exit(2)
}
const forMs = (Number(values.minutes) * MINUTE_MS) / chosen.length

interface Row {
  target: string
  inputs: number
  'per second'?: number
  crashes: number
  hangs: number
  findings: number
  'memory MB'?: string
  descriptors?: string
}

/** Runs one target to its end, its crash, or its hang. */
function run(name: string): Promise<Row> {
  const options = JSON.stringify({ seed, forMs, inputs: values.inputs && Number(values.inputs) })
  const child = fork(join(import.meta.dirname, 'engine/run-one.ts'), [name, options], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
  })
  const row: Row = { target: name, inputs: 0, crashes: 0, hangs: 0, findings: 0 }
  let last = seed
  let isOver = false
  const onSilence = (): void => {
    row.hangs = 1
    child.kill('SIGKILL')
  }
  let watchdog = setTimeout(onSilence, HANG_MS)
  child.on('message', (told: Told) => {
    clearTimeout(watchdog)
    watchdog = setTimeout(onSilence, HANG_MS)
    if ('report' in told) {
      isOver = true
      Object.assign(row, cells(told))
      if (told.finding !== undefined) console.log(`\n# ${name}\n${told.finding}\n`)
    } else {
      last = told.seed
      row.inputs = told.tried
    }
  })
  return new Promise(resolve =>
    child.once('exit', (code, signal) => {
      clearTimeout(watchdog)
      if (!isOver && row.hangs === 0) row.crashes = 1
      if (!isOver)
        console.log(`\n# ${name}: ${signal ?? code} in the batch that begins with seed ${last}\n`)
      resolve(row)
    }),
  )
}

function cells(told: Extract<Told, { report: unknown }>): Partial<Row> {
  const { tried, elapsedMs, before, after } = told.report
  const megabytes = (bytes: number): string => (bytes / MB).toFixed(1)
  return {
    inputs: tried,
    'per second': Math.round((tried / elapsedMs) * 1_000),
    findings: told.finding === undefined ? 0 : 1,
    'memory MB': `${megabytes(before.memoryBytes)} -> ${megabytes(after.memoryBytes)}`,
    descriptors: `${before.descriptors} -> ${after.descriptors}`,
  }
}

console.log(`# seed ${seed}`)
const rows: Row[] = []
for (const { name } of chosen) rows.push(await run(name))
console.table(rows)
process.exitCode = rows.some(row => row.crashes + row.hangs + row.findings > 0) ? 1 : 0
