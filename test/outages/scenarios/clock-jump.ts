/** The clock of the machine jumps an hour forward and back, and an hour back and forth, while all work. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { cpuSeconds } from '../../support/process-state.ts'
import type { City } from '../city.ts'
import type { FakeClock } from '../faults/clock.ts'
import { killAdmin } from '../faults/kill.ts'
import { ask } from '../load/ask.ts'
import { blockPageOverTls } from '../load/block-page.ts'
import { click, takesEffect } from '../load/lives.ts'
import type { Load } from '../load/load.ts'
import { standingOf } from '../load/visits.ts'

const HOUR_S = 3_600
/** What a process needs to see a new time in its next verdict: nothing; this is for the requests under way. */
const SETTLE_MS = 300

export interface Seen {
  readonly clock: string
  /** A grant of an hour given before the first jump. */
  readonly hour: string
  readonly forever: string
  readonly page: string
  /** Whether the member of the DSI is still signed in. */
  readonly isSignedIn: boolean
  /** Seconds of CPU that all processes spent in one second. */
  readonly cpu: number
}

export interface ClockJump {
  readonly seen: readonly Seen[]
  /** Given while the clock is an hour slow, and looked at when it is right again: its hour is over. */
  readonly slow: string
}

export async function jumpClock(city: City, load: Load, clock: FakeClock): Promise<ClockJump> {
  const hour = await grant(load, 'hour')
  const forever = await grant(load, 'forever')
  const seen: Seen[] = []
  const look = async (offsetS: number, text: string): Promise<void> => {
    clock.set(offsetS)
    await elapsed(SETTLE_MS)
    seen.push(await lookAround(city, load, text, hour, forever))
  }
  return load.watch.disturb('the clock jumps', async () => {
    await look(0, 'right')
    await look(HOUR_S, 'an hour fast')
    // It comes up with the wrong time, and cleans up by it.
    await load.watch.disturb('the clock jumps', () => killAdmin(city, load.watch), true)
    await elapsed(SETTLE_MS)
    await look(0, 'right again')
    await look(-HOUR_S, 'an hour slow')
    const late = await grant(load, 'hour')
    await look(0, 'right at the end')
    return { seen, slow: await standing(load, late) }
  })
}

async function lookAround(
  city: City,
  load: Load,
  clock: string,
  hour: string,
  forever: string,
): Promise<Seen> {
  const ca = readFileSync(join(city.dataDir, 'ca/ca.pem'), 'utf8')
  return {
    clock,
    hour: await standing(load, hour),
    forever: await standing(load, forever),
    // A host that nobody has looked at: the certificate is made now.
    page: await blockPageOverTls(load.proxyPort, load.nextHost() ?? '', '127.0.8.1', ca),
    isSignedIn: (await load.desk.get('/')).told === 'done',
    cpu: await cpuInASecond(city),
  }
}

/** A request that is made, approved for so long, and opens; answers its host. */
async function grant(load: Load, duration: 'hour' | 'forever'): Promise<string> {
  const host = load.nextHost() ?? ''
  await click(load, host, '127.0.8.1')
  const pending = await load.desk.pending()
  const id = 'told' in pending ? undefined : pending.get(host)
  const { told } = await load.desk.post(`/requests/${id}/approve`, { scope: 'site', duration })
  if (told !== 'done') throw new Error(`${host}: ${told}`)
  await takesEffect(load, host, 'open')
  return host
}

async function standing({ proxyPort, origin }: Load, host: string): Promise<string> {
  const path = `http://${host}:${origin.httpPort}/`
  const answer = await ask({ port: proxyPort, path, from: '127.0.8.1' })
  return answer.kind === 'trouble' ? answer.code : standingOf(answer)
}

async function cpuInASecond(city: City): Promise<number> {
  const { supervisor, workers, admin } = city.processes()
  const pids = [supervisor, ...workers, ...(admin === undefined ? [] : [admin])]
  const spent = (): number => pids.map(cpuSeconds).reduce((sum, seconds) => sum + seconds, 0)
  const before = spent()
  await elapsed(1_000)
  return spent() - before
}
