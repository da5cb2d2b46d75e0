/** The parts of the soak, each with its share of the time. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { join } from 'node:path'
import { openCity, type City } from './city.ts'
import { noFakeTime, openClock } from './faults/clock.ts'
import { mountSmallDisk } from './faults/disk.ts'
import { whole } from './faults/kill.ts'
import { startLoad, type Load } from './load/load.ts'
import { openRedisCity } from './redis-city.ts'
import { useOf } from './resources.ts'
import { jumpClock } from './scenarios/clock-jump.ts'
import { failOver, openReplicatedCity } from './scenarios/failover.ts'
import { fillDisk } from './scenarios/full-disk.ts'
import { killProcesses, type Killing, type Victim } from './scenarios/killed-processes.ts'
import { conclude, median } from './scenarios/outcome.ts'
import { restartAll } from './scenarios/rolling-restart.ts'
import { AWAY, takeStoreAway } from './scenarios/store-outage.ts'
import { troubleStore } from './scenarios/store-trouble.ts'
import { openOrigin, type Origin } from './sites.ts'
import type { Stage } from './stage.ts'
import type { Stretch } from './table.ts'

export interface Part {
  readonly name: string
  /** Of the whole time. */
  readonly share: number
  /** Undefined: it cannot be played here, and has said why. */
  readonly play: (stage: Stage, ms: number) => Promise<Stretch | undefined>
}

const KILLS = 200
const OUTAGE_MS = 60_000
/** Compiled code, caches and the first garbage come before anything is compared. */
const WARM_UP_MS = 10_000
const REFUSED = 12_000

export const PARTS: readonly Part[] = [
  { name: 'kills', share: 12, play: kills },
  { name: 'outages', share: 9, play: outages },
  { name: 'failovers', share: 3, play: failovers },
  { name: 'restarts', share: 3, play: restarts },
  { name: 'disk', share: 2, play: fullDisk },
  { name: 'clock', share: 1, play: clockJumps },
]

/** Half of the deaths are of workers: they have the clients. */
const WHEEL: readonly Victim[] = [
  ...(['worker', 'admin', 'worker', 'supervisor'] as const),
  ...(['worker', 'job', 'worker', 'redis'] as const),
]

/** Two hundred, or as many as the time allows. */
function* victims(ms: number): Generator<Victim> {
  const until = performance.now() + ms
  for (let i = 0; i < KILLS && performance.now() < until; i++)
    yield WHEEL[i % WHEEL.length] ?? 'worker'
}

async function kills(stage: Stage, ms: number): Promise<Stretch> {
  const origin = await openOrigin(stage)
  const { city, redis } = await openRedisCity(stage, { refused: REFUSED })
  return during(stage, 'kill -9', city, origin, async load => {
    const options = { victims: victims(ms), pauseMs: 2_500, redis }
    const killings = await killProcesses(city, origin, load, options)
    return { times: killings.map(({ backMs }) => backMs), notes: describeKillings(killings) }
  })
}

function describeKillings(killings: readonly Killing[]): string[] {
  return [...Map.groupBy(killings, ({ victim }) => victim)].map(([victim, own]) => {
    const times = own.map(({ backMs }) => backMs)
    const [middle, worst] = [median(times), Math.max(...times)].map(Math.round)
    const late = times.filter(time => time > 2_000).length
    return `${victim}: ${own.length} times, back after ${middle} ms, worst ${worst} ms, ${late} later than 2 s`
  })
}

async function outages(stage: Stage, ms: number): Promise<Stretch> {
  const origin = await openOrigin(stage)
  const { city, redis, shim } = await openRedisCity(stage, { refused: REFUSED })
  return during(stage, 'Redis away or in trouble', city, origin, async load => {
    const lastsMs = Math.min(OUTAGE_MS, Math.max(4_000, ms / 9))
    const notes: string[] = []
    const times: number[] = []
    for (const how of AWAY) {
      const isWorkerKilled = true
      const seen = await takeStoreAway(
        { city, load, redis, shim },
        { how, lastsMs, isWorkerKilled },
      )
      times.push(seen.convergedMs)
      const [before, after] = seen.expiring
      notes.push(
        `${how} for ${Math.round(lastsMs / 1_000)} s: converged ${Math.round(seen.convergedMs)} ms after its return, memory of the workers ${seen.grownMegabytes.toFixed(1)} MB more, ${seen.clicksRefused} clicks refused in words, a grant whose end came was ${before} and then ${after}, a killed worker decided again after ${Math.round(seen.workerBackMs ?? 0)} ms`,
      )
      await elapsed(2_000)
    }
    return { times: [...times, ...(await troubleStore(load, shim, lastsMs))], notes }
  })
}

/** In turn a master that dies, and one that only hangs until it is taken for dead. */
async function failovers(stage: Stage, ms: number): Promise<Stretch> {
  const origin = await openOrigin(stage)
  const { city, ...redis } = await openReplicatedCity(stage, { refused: REFUSED }, 2)
  return during(stage, 'failover by Sentinel, two replicas', city, origin, async load => {
    const times = { dies: [] as number[], hangs: [] as number[] }
    const until = performance.now() + ms
    do {
      for (const how of ['dies', 'hangs'] as const) {
        times[how].push(await failOver(load, redis, how))
        await elapsed(2_000)
      }
    } while (performance.now() < until)
    const notes = Object.entries(times).map(
      ([how, own]) =>
        `the master ${how}: ${own.length} times, all works again after ${Math.round(median(own))} ms, worst ${Math.round(Math.max(...own))} ms`,
    )
    return { times: [...times.dies, ...times.hangs], notes }
  })
}

async function restarts(stage: Stage, ms: number): Promise<Stretch> {
  const origin = await openOrigin(stage)
  const city = await openCity(stage, { refused: REFUSED })
  return during(stage, 'restart of all (SIGHUP)', city, origin, async load => ({
    times: await restartAll(city, load, ms),
    notes: [],
  }))
}

async function fullDisk(stage: Stage, ms: number): Promise<Stretch | undefined> {
  const disk = await mountSmallDisk(stage, 64)
  if (disk === undefined) {
    stage.say('left out: no right to mount a small disk here')
    return undefined
  }
  const origin = await openOrigin(stage)
  const city = await openCity(stage, { dataDir: join(disk.path, 'data'), refused: 3_000 })
  return during(stage, 'full disk', city, origin, async load => {
    const seen = await fillDisk(city, load, disk, ms / 2)
    const notes = [
      `${seen.clicksRefused} clicks refused in words, a worker killed meanwhile back after ${Math.round(seen.workerBackMs)} ms`,
    ]
    return { times: [seen.convergedMs], notes }
  })
}

async function clockJumps(stage: Stage): Promise<Stretch | undefined> {
  if (noFakeTime !== false) {
    stage.say(`left out: ${noFakeTime}`)
    return undefined
  }
  const clock = openClock(stage)
  const origin = await openOrigin(stage)
  const city = await openCity(stage, { env: clock.env })
  return during(stage, 'clock an hour off', city, origin, async load => {
    const { seen } = await jumpClock(city, load, clock)
    return { times: [], notes: seen.map(look => JSON.stringify(look)) }
  })
}

interface Played {
  readonly times: readonly number[]
  readonly notes: readonly string[]
}

/** Plays one part between two looks at memory and descriptors, under load. */
async function during(
  stage: Stage,
  what: string,
  city: City,
  origin: Origin,
  play: (load: Load) => Promise<Played>,
): Promise<Stretch> {
  const load = await startLoad(stage, city, origin)
  await elapsed(WARM_UP_MS)
  const start = useOf(city)
  const { times, notes } = await play(load)
  await whole(city)
  await elapsed(WARM_UP_MS)
  const end = useOf(city)
  const outcome = await conclude(what, city, load, times)
  const logged = [...city.logged].map(([message, times]) => `logged ${times} times: ${message}`)
  return { outcome, start, end, notes: [...notes, ...logged] }
}
