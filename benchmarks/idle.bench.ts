/** What does an idle tunnel cost: memory each, as a slope, and the CPU of a proxy that has nothing to do but hold them? */
import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import type { Contestant } from './support/contestants/contestant.ts'
import { startPlainRelay, startSquid } from './support/contestants/peers.ts'
import { startPreau } from './support/contestants/preau.ts'
import {
  cpuMicros,
  proportionalKilobytes,
  residentKilobytes,
  rounded,
  slope,
} from './support/cpu.ts'
import { startSurroundings, type Surroundings } from './support/processes.ts'
import { report } from './support/report.ts'

const TUNNELS = 10_000
// Many: a heap grows by whole pages, and at moments of its own.
const STEPS = 20
const SETTLE_MS = 750
/** A start has an aftermath: code is still compiled, and written to its cache. */
const AFTER_START_MS = 8_000
const IDLE_SECONDS = 10
/** Descriptors that a proxy has for other things. */
const OTHER_DESCRIPTORS = 300

/** A tunnel takes two descriptors of its proxy, and not every system lets us raise the bound. */
function tunnelsPossible(): number {
  const raise = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; ulimit -n'
  const bound = Number(execFileSync('sh', ['-c', raise], { encoding: 'utf8' }))
  return Math.min(TUNNELS, Math.floor((bound - OTHER_DESCRIPTORS) / 2 / STEPS) * STEPS)
}

const total = tunnelsPossible()

/** Milliseconds, while nothing is asked. */
async function idleCpu(pid: number): Promise<number> {
  const before = cpuMicros(pid)
  await wait(IDLE_SECONDS * 1_000)
  return rounded((cpuMicros(pid) - before) / 1_000)
}

async function cost(contestant: Contestant, { originPort, load }: Surroundings) {
  const { pid, port, authority } = contestant
  const resident: { x: number; y: number }[] = []
  const proportional: { x: number; y: number }[] = []
  await wait(AFTER_START_MS)
  const cpuEmpty = await idleCpu(pid)
  const empty = residentKilobytes(pid)
  for (let step = 1; step <= STEPS; step++) {
    const x = (total / STEPS) * step
    await load('openIdle', { port, authority: authority(originPort), total: x })
    await wait(SETTLE_MS)
    resident.push({ x, y: residentKilobytes(pid) })
    proportional.push({ x, y: proportionalKilobytes(pid) })
  }
  const cpuFull = await idleCpu(pid)
  const full = residentKilobytes(pid)
  await load('closeIdle', { total })
  return {
    what: contestant.name,
    'RSS kB each (slope)': rounded(slope(resident), 1),
    'PSS kB each (slope)': rounded(slope(proportional), 1),
    'RSS kB each (all)': rounded((full - empty) / total, 1),
    'RSS MB, empty': rounded(empty / 1_024),
    [`RSS MB, ${total} tunnels`]: rounded(full / 1_024),
    [`CPU ms in ${IDLE_SECONDS} s, empty`]: cpuEmpty,
    'with tunnels': cpuFull,
  }
}

const rows = []
const asked: Contestant[] = []
const surroundings = await startSurroundings()
try {
  // One after the other: each is alone with its memory.
  for (const start of [startPreau, startPlainRelay, startSquid]) {
    const contestant = await start()
    if (contestant === undefined) continue
    asked.push(contestant)
    rows.push(await cost(contestant, surroundings).finally(() => contestant.stop()))
  }
} finally {
  await surroundings.stop()
}
const title = `${total} idle tunnels, each after a ClientHello and an answer of 4 kB; slope over ${STEPS} steps`
report(title, asked, rows)
