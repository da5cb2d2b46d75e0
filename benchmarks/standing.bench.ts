/** What does an installation cost that stands still: each of its processes, and what they ask of the engine? With all of UT1. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { makeHome, startHome } from './support/contestants/preau.ts'
import {
  childrenOf,
  cpuMicros,
  proportionalKilobytes,
  residentKilobytes,
  rounded,
} from './support/cpu.ts'
import { SQLITE, startRedis, type Engine } from './support/engines.ts'
import { stop } from './support/processes.ts'
import { report } from './support/report.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
/** A start has an aftermath: code is still compiled, lists are opened and let go. */
const AFTER_START_MS = 12_000
const IDLE_MS = 20_000
const PER_MINUTE = 60_000 / IDLE_MS

interface Seen {
  readonly micros: number
  readonly engine: number
  readonly commands: number | undefined
}

async function cost(home: Awaited<ReturnType<typeof makeHome>>, engine: Engine, workers: number) {
  const config = JSON.parse(readFileSync(home.config, 'utf8')) as object
  writeFileSync(home.config, JSON.stringify({ ...config, workers, store: engine.store }))
  const child = await startHome(home)
  try {
    await wait(AFTER_START_MS)
    const pid = child.pid ?? 0
    const read = (): Seen => ({
      micros: cpuMicros(pid),
      engine: engine.micros(),
      commands: engine.commands(),
    })
    const before = read()
    await wait(IDLE_MS)
    const after = read()
    const children = childrenOf(pid)
    const [proxy, admin] = [children.slice(0, workers), children.slice(workers)]
    const whole = (pids: readonly number[]): number =>
      pids.reduce((sum, each) => sum + proportionalKilobytes(each), 0) / pids.length / 1_024
    const all = proportionalKilobytes(pid) / 1_024
    return {
      what: `${engine.name}, ${workers} worker(s)`,
      'PSS MB, each worker': rounded(whole(proxy)),
      'RSS MB, a worker': rounded(residentKilobytes(proxy[0] ?? 0) / 1_024),
      'PSS MB, admin': rounded(whole(admin)),
      'PSS MB, all': rounded(all),
      'CPU ms a minute': rounded(((after.micros - before.micros) / 1_000) * PER_MINUTE),
      'engine, CPU ms a minute': rounded(((after.engine - before.engine) / 1_000) * PER_MINUTE),
      'commands a minute': rounded(((after.commands ?? 0) - (before.commands ?? 0)) * PER_MINUTE),
    }
  } finally {
    await stop(child)
  }
}

const redis = await startRedis()
const engines = [SQLITE, redis].filter(engine => engine !== undefined)
const home = await makeHome()
const rows = []
try {
  for (const engine of engines) {
    if (engine !== SQLITE) {
      const args = [CLI, 'store', 'copy', 'sqlite', engine.store, '--config', home.config]
      execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    }
    for (const workers of [1, 2]) rows.push(await cost(home, engine, workers))
  }
} finally {
  await redis?.stop()
  rmSync(home.dir, { recursive: true, force: true })
}
report(`an installation that stands still, ${home.lists}; over ${IDLE_MS / 1_000} s`, engines, rows)
