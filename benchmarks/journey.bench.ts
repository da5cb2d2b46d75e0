/** How long from the click to the open page, where the DSI needs no time at all? Through real processes, on each engine. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { makeHome, MEASURED_LIMITS, startHome } from './support/contestants/preau.ts'
import { rounded } from './support/cpu.ts'
import { placeOn, SQLITE, startRedis, type Engine } from './support/engines.ts'
import { aPerson, aPupil, type Person, type Pupil } from './support/people.ts'
import { startSurroundings, stop } from './support/processes.ts'
import { report } from './support/report.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const JOURNEYS = 200
const WORKERS = 2
const AFTER_START_MS = 4_000
const PASSWORD = 'une phrase assez longue'
const MANY = 1_000_000
const hosts = Array.from({ length: JOURNEYS + 1 }, (_, i) => `site${i}.test`)

/** Of one journey, in ms. */
interface Times {
  /** The pupil reads that the request was sent. */
  readonly sent: number
  /** It stands in the list of the DSI. */
  readonly seen: number
  /** From the decision to its answer. */
  readonly decided: number
  /** From the decision to the page of the pupil, served by the site itself. */
  readonly opened: number
  /** More than one: another worker did not know yet. */
  readonly tries: number
}

async function travel(pupil: Pupil, dsi: Person, host: string, originPort: number): Promise<Times> {
  const origin = `http://${host}:${originPort}`
  if ((await pupil.statusOf(`${origin}/`)) !== 403) throw new Error(`${host} is open`)
  const events = await dsi.events()
  const page = await pupil.follow(origin)
  const clickedAt = performance.now()
  await pupil.click(origin)
  const sent = performance.now() - clickedAt
  let id: string | undefined
  while (id === undefined) {
    await events.until(news => news.includes('event: changed'))
    id = new RegExp(`data-id="([^"]+)"[^]*?${host}`).exec(await dsi.pending())?.[1]
  }
  const seen = performance.now() - clickedAt
  const decidedAt = performance.now()
  const opening = page.until(news => news.includes('"reload":true'))
  await dsi.approve(id)
  const decided = performance.now() - decidedAt
  await opening
  let tries = 1
  while ((await pupil.statusOf(`${origin}/`)) !== 200) tries++
  const opened = performance.now() - decidedAt
  events.close()
  page.close()
  return { sent, seen, decided, opened, tries }
}

async function journeysOn(engine: Engine, originPort: number): Promise<Times[]> {
  const far = { unblockPerMinute: MANY, pendingPerPc: MANY, pendingPerSite: MANY }
  const limits = { ...MEASURED_LIMITS, ...far }
  const dial = { hosts: Object.fromEntries(hosts.map(host => [host, '127.0.0.1'])) }
  const change = { workers: WORKERS, limits, dial, ...placeOn(engine, 'journey') }
  const home = await makeHome(change, { isFull: false })
  const cli = (args: string[], input = ''): void => {
    const all = [CLI, ...args, '--config', home.config]
    execFileSync(process.execPath, all, { input, stdio: ['pipe', 'ignore', 'inherit'] })
  }
  const list = join(home.dir, 'games.txt')
  writeFileSync(list, hosts.join('\n'))
  cli(['lists', 'import', list, '--category', 'games', '--activate'])
  cli(['user', 'add', 'dsi'], `${PASSWORD}\n`)
  const child = await startHome(home)
  try {
    await wait(AFTER_START_MS)
    const pupil = aPupil(home.port)
    const dsi = await aPerson(home.adminPort, 'dsi', PASSWORD)
    const times: Times[] = []
    for (const host of hosts) times.push(await travel(pupil, dsi, host, originPort))
    return times.slice(1)
  } finally {
    await stop(child)
    rmSync(home.dir, { recursive: true, force: true })
  }
}

function rowOf(what: string, times: readonly Times[]): Record<string, string | number> {
  const at = (key: keyof Times, share: number): number => {
    const sorted = times.map(each => each[key]).toSorted((a, b) => a - b)
    return rounded(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
  }
  const both = (key: keyof Times): string => `${at(key, 0.5)} / ${at(key, 0.99)}`
  return {
    what,
    'click answered': both('sent'),
    'in the list of the DSI': both('seen'),
    'decision answered': both('decided'),
    'page open': both('opened'),
    'refused again': times.filter(({ tries }) => tries > 1).length,
  }
}

const engines = [SQLITE, await startRedis()].filter(engine => engine !== undefined)
const surroundings = await startSurroundings()
const rows = []
try {
  for (const engine of engines)
    rows.push(rowOf(engine.name, await journeysOn(engine, surroundings.originPort)))
} finally {
  await surroundings.stop()
  for (const engine of engines) await engine.stop()
}
const title = `a click until its page is open, ${JOURNEYS} one after the other, ${WORKERS} workers; ms, p50 / p99`
report(title, engines, rows)
