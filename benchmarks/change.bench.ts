/** What does a change cost those who watch: the workers that read again, and the engine that they ask? */
import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '../src/config.ts'
import type { Change } from '../src/policy/document.ts'
import { openStore } from '../src/store/open-store.ts'
import type { CommitNote, Store } from '../src/store/store.ts'
import { aCommit, aGrant } from './support/city.ts'
import { makeHome, startHome } from './support/contestants/preau.ts'
import { childrenOf, cpuMicros, rounded } from './support/cpu.ts'
import { placeOn, SQLITE, startRedis, type Engine } from './support/engines.ts'
import { stop } from './support/processes.ts'
import { report } from './support/report.ts'

const WORKERS = 2
const ACTIVE = [10, 5_000] as const
const CHANGES = 60
/** Far enough apart that each is followed by itself. */
const EVERY_MS = 100
const AFTER_START_MS = 8_000
const PER_COMMIT = 500

async function grantMany(store: Store, many: number): Promise<void> {
  for (let i = 0; i < many; i += PER_COMMIT) {
    const grants = Array.from({ length: Math.min(PER_COMMIT, many - i) }, (_, j) => aGrant(i + j))
    const changes = grants.map((body): Change => ({ kind: 'grant', id: body.id, body }))
    await store.commit({ by: 'dsi', action: 'bench', at: Date.now() }, changes)
  }
}

const grantOne = (i: number): [CommitNote, Change[]] => {
  const body = aGrant(i)
  const note = { by: 'dsi', action: 'grant.make', subject: body.host, at: body.at }
  return [note, [{ kind: 'grant', id: body.id, expects: 'absent', body }]]
}

/** CPU in ms of a worker, of the admin process and of the engine, over some time of work. */
async function spent(pids: readonly number[], engine: Engine, work: () => Promise<void>) {
  const read = () => ({
    workers: pids.slice(0, WORKERS).reduce((sum, pid) => sum + cpuMicros(pid), 0) / WORKERS,
    admin: cpuMicros(pids[WORKERS] ?? 0),
    engine: engine.micros(),
    commands: engine.commands() ?? 0,
  })
  const before = read()
  await work()
  const after = read()
  return {
    workers: (after.workers - before.workers) / 1_000,
    admin: (after.admin - before.admin) / 1_000,
    engine: (after.engine - before.engine) / 1_000,
    commands: after.commands - before.commands,
  }
}

async function cost(engine: Engine, active: number) {
  const home = await makeHome(
    { workers: WORKERS, ...placeOn(engine, `change${active}`) },
    { isFull: false },
  )
  const store = await openStore(loadConfig(home.config))
  try {
    await grantMany(store, active)
    const child = await startHome(home)
    try {
      await wait(AFTER_START_MS)
      const pids = childrenOf(child.pid ?? 0)
      const idle = await spent(pids, engine, () => wait(CHANGES * EVERY_MS))
      const rows = []
      for (const [what, make] of [
        ['grant', grantOne],
        ['click', aCommit],
      ] as const) {
        const seen = await spent(pids, engine, async () => {
          for (let i = 0; i < CHANGES; i++) {
            await store.commit(...make(i))
            await wait(EVERY_MS)
          }
        })
        const each = (key: keyof typeof seen): number => (seen[key] - idle[key]) / CHANGES
        rows.push({
          what: `${engine.name}, a ${what}, ${active} grants in force`,
          'CPU ms, each worker': rounded(each('workers'), 2),
          'CPU ms, admin': rounded(each('admin'), 2),
          'CPU ms, engine': rounded(each('engine'), 2),
          'commands to the engine': rounded(each('commands'), 1),
        })
      }
      return rows
    } finally {
      await stop(child)
    }
  } finally {
    await store.close()
    rmSync(home.dir, { recursive: true, force: true })
  }
}

const engines = [SQLITE, await startRedis()].filter(engine => engine !== undefined)
const rows = []
try {
  for (const engine of engines)
    for (const active of ACTIVE) rows.push(...(await cost(engine, active)))
} finally {
  for (const engine of engines) await engine.stop()
}
report(
  `one change followed by ${WORKERS} workers and the admin app, mean of ${CHANGES}`,
  engines,
  rows,
)
