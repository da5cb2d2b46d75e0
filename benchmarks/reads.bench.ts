/** What does a look into the store cost, with a city's year in it, and how much room does that year take? */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../src/config.ts'
import type { Change } from '../src/policy/document.ts'
import { openStore } from '../src/store/open-store.ts'
import type { Store } from '../src/store/store.ts'
import { aGrant, aRequest } from './support/city.ts'
import { median, rounded } from './support/cpu.ts'
import { SQLITE, startRedis, type Engine } from './support/engines.ts'
import { report } from './support/report.ts'

const ROUNDS = 5
const ASKED = 500
const RECORDS = 20_000
const PER_COMMIT = 500
const KILO = 1_000

interface Place {
  readonly engine: Engine
  readonly store: Store
  readonly folder: string
}

/** Bytes that the engine has in use: the memory of Redis, the file of SQLite. */
function room({ engine, folder }: Place): number {
  const inFiles = ['preau.db', 'preau.db-wal'].map(
    name => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  )
  return engine.memory() ?? inFiles.reduce((sum, size) => sum + size)
}

/** Bytes per thousand of what `change` makes; without one, of bare audit entries. */
async function fill(place: Place, change?: (i: number) => Change): Promise<number> {
  const before = room(place)
  const note = { by: 'pc:10.1.2.7', action: 'request.open', subject: 'www.site1.example', at: 1 }
  if (change === undefined)
    for (let i = 0; i < RECORDS / 10; i++) await place.store.commit(note, [])
  else
    for (let i = 0; i < RECORDS; i += PER_COMMIT)
      await place.store.commit(
        note,
        Array.from({ length: PER_COMMIT }, (_, j) => change(i + j)),
      )
  const made = change === undefined ? RECORDS / 10 : RECORDS
  return ((room(place) - before) / made) * KILO
}

const asRequest = (i: number): Change => {
  const body = aRequest(i)
  return { kind: 'request', id: body.id, body }
}
const asGrant = (i: number): Change => {
  const body = aGrant(i)
  return { kind: 'grant', id: body.id, body }
}

let serial = 0
const LOOKS: Record<string, (store: Store, id: string) => Promise<unknown>> = {
  'one record': (store, id) => store.get('request', id),
  'a page of 50 pending': store => store.list('request', { facet: 'pending', limit: 50 }),
  'a count': store => store.count('request', 'pending-site:0590001A'),
  'a permit taken': store =>
    store.permits.take(`k${serial++ % 1_000}`, { max: 1e9, windowMs: 60_000 }),
}

async function look(place: Place, ask: (store: Store, id: string) => Promise<unknown>) {
  const [newest] = await place.store.list('request', { limit: 1 })
  const [before, engineBefore] = [process.cpuUsage(), place.engine.micros()]
  const waits: number[] = []
  for (let i = 0; i < ASKED; i++) {
    const askedAt = performance.now()
    await ask(place.store, newest?.id ?? '')
    waits.push((performance.now() - askedAt) * KILO)
  }
  const { user, system } = process.cpuUsage(before)
  return {
    wait: median(waits),
    micros: (user + system) / ASKED,
    engine: (place.engine.micros() - engineBefore) / ASKED,
  }
}

const engines = [SQLITE, await startRedis('always')].filter(engine => engine !== undefined)
const root = mkdtempSync(join(tmpdir(), 'preau-bench-'))
try {
  const places: Place[] = []
  for (const engine of engines) {
    const folder = join(root, engine.name.replace(/\W.*/, ''))
    const config = { ...loadConfig(undefined, {}), store: engine.store, dataDir: folder }
    places.push({ engine, store: await openStore(config, { check: true }), folder })
  }
  const rooms = []
  for (const place of places)
    rooms.push({
      what: place.engine.name,
      'requests, kB': rounded((await fill(place, asRequest)) / KILO),
      'grants, kB': rounded((await fill(place, asGrant)) / KILO),
      'audit entries, kB': rounded((await fill(place)) / KILO),
    })
  report(`room per thousand (Redis: memory, SQLite: file), of ${RECORDS}`, engines, rooms)
  const all = new Map<string, Awaited<ReturnType<typeof look>>[]>()
  for (let round = 0; round <= ROUNDS; round++)
    for (const place of places)
      for (const [what, ask] of Object.entries(LOOKS)) {
        const name = `${what}, ${place.engine.name}`
        const figures = await look(place, ask)
        if (round > 0) all.set(name, [...(all.get(name) ?? []), figures])
      }
  const rows = [...all].map(([what, figures]) => ({
    what,
    'wait µs': rounded(median(figures.map(({ wait }) => wait))),
    'CPU µs': rounded(median(figures.map(({ micros }) => micros))),
    'CPU µs, engine': rounded(median(figures.map(({ engine }) => engine))),
  }))
  report(`one look at a time, median of ${ROUNDS} x ${ASKED}`, engines, rows)
  await Promise.all(places.map(({ store }) => store.close()))
} finally {
  for (const engine of engines) await engine.stop()
  rmSync(root, { recursive: true, force: true })
}
