/** How many commits a second does the store take, and how long does a click wait for its own? Each one is on the disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../src/config.ts'
import { openStore } from '../src/store/open-store.ts'
import type { Store } from '../src/store/store.ts'
import { aCommit } from './support/city.ts'
import { median, rounded } from './support/cpu.ts'
import { SQLITE, startRedis, type Engine } from './support/engines.ts'
import { report } from './support/report.ts'

const ROUNDS = 5
const COMMITS = 1_000
const AT_ONCE = [1, 32] as const

interface Figures {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Of this process and of the engine, per commit. */
  readonly micros: number
  readonly engineMicros: number
}

let serial = 0

async function commit(store: Store, engine: Engine, atOnce: number): Promise<Figures> {
  const waits: number[] = []
  const [before, engineBefore] = [process.cpuUsage(), engine.micros()]
  const startedAt = performance.now()
  const one = async (): Promise<void> => {
    while (waits.length < COMMITS) {
      const askedAt = performance.now()
      await store.commit(...aCommit(serial++))
      waits.push(performance.now() - askedAt)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(before)
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return {
    perSecond: waits.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    micros: (user + system) / waits.length,
    engineMicros: (engine.micros() - engineBefore) / waits.length,
  }
}

const engines = [SQLITE, await startRedis('always'), await startRedis('everysec')].filter(
  engine => engine !== undefined,
)
const dir = mkdtempSync(join(tmpdir(), 'preau-bench-'))
try {
  const config = loadConfig(undefined, {})
  const stores = new Map<Engine, Store>()
  for (const engine of engines)
    stores.set(
      engine,
      await openStore({ ...config, store: engine.store, dataDir: dir }, { check: true }),
    )
  const all = new Map<string, Figures[]>()
  // Interleaved, so that a slow minute is shared by all.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [engine, store] of stores) {
      for (const atOnce of AT_ONCE) {
        const figures = await commit(store, engine, atOnce)
        const what = `${engine.name}, ${atOnce} at a time`
        if (round > 0) all.set(what, [...(all.get(what) ?? []), figures])
      }
    }
  }
  for (const store of stores.values()) await store.close()
  const rows = [...all].map(([what, figures]) => {
    const of = (key: keyof Figures): number => median(figures.map(each => each[key]))
    return {
      what,
      'per second': rounded(of('perSecond')),
      'p50 ms': rounded(of('p50'), 2),
      'p99 ms': rounded(of('p99'), 2),
      'CPU µs': rounded(of('micros')),
      'CPU µs, engine': rounded(of('engineMicros')),
    }
  })
  const title = `a click recorded (two records and an audit entry), median of ${ROUNDS} x ${COMMITS}`
  report(title, engines, rows)
} finally {
  for (const engine of engines) await engine.stop()
  rmSync(dir, { recursive: true, force: true })
}
