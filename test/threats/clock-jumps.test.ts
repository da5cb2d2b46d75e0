/**
 * Case 119: a clock that jumps an hour or a day, forth or back, while a process runs. What lasts a time is measured by a
 * clock that nobody sets; what has a date follows the clock, and nothing is left hanging on a time that was wrong.
 */
import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { openAccessLog, type AccessLogEntry } from '../../src/access-log/access-log.ts'
import { undoLeftMs } from '../../src/admin/undo.ts'
import { LastStateKeeper } from '../../src/last-state/keep.ts'
import { readLastState } from '../../src/last-state/read.ts'
import { loadConfig } from '../../src/config.ts'
import type { UnblockRequest } from '../../src/policy/unblock-request.ts'
import { decide } from '../../src/policy/verdict.ts'
import { Connection, Exchange } from '../../src/proxy/exchange.ts'
import { OpenExchanges } from '../../src/proxy/open-exchanges.ts'
import { CATALOGUE, aCurrent, aPolicy, aSnapshot, host } from '../support/snapshot.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START = Date.UTC(2026, 8, 14, 8, 40)
const JUMPS = {
  'an hour forth': HOUR_MS,
  'an hour back': -HOUR_MS,
  'a day forth': DAY_MS,
  'a day back': -DAY_MS,
}

for (const [what, jump] of Object.entries(JUMPS)) {
  t.test(
    `${what}: a tunnel is not taken for an old one, and its duration is told right`,
    async t => {
      let now = START
      const snapshot = aSnapshot()
      const open = new OpenExchanges(aCurrent(snapshot), () => now, 400)
      t.teardown(() => void open.close())
      await elapsed(300)
      const socket = { bytesRead: 0, bytesWritten: 0, destroy: () => t.fail('cut') }
      const connection = new Connection(socket as never)
      const client = snapshot.networks(host('10.1.0.1'))
      const exchange = new Exchange(
        { connection, method: 'CONNECT', client, snapshot, now, decide },
        closed => open.delete(closed),
      )
      exchange.judge({ host: host('free.test'), port: 443 }, () => true)
      open.add(exchange)
      open.relay(exchange)
      now += jump
      await elapsed(200)
      const { durationMs } = exchange.entry()
      t.ok(durationMs >= 190 && durationMs < 10_000, `${durationMs} ms`)
      exchange.close()
    },
  )

  t.test(`${what}: the way back of a decision is open for its few seconds alone`, t => {
    const decided = { decision: { outcome: 'refused', by: 'Claire', at: START, reason: '' } }
    const request = decided as unknown as UnblockRequest
    t.ok(undoLeftMs(request, 'Claire', START + 1_000) > 0)
    t.ok(undoLeftMs(request, 'Claire', START - 1_000) > 0, 'a clock that is set by a second')
    t.equal(undoLeftMs(request, 'Claire', START + jump), 0)
    t.end()
  })

  t.test(`${what}: lines of the access log go to the file of the day that is told`, async t => {
    let now = START
    const dir = t.testdir()
    const log = openAccessLog({ dir, timeZone: () => 'Europe/Paris', clock: () => now })
    const entry = { exchange: 'x', ip: '10.1.0.1' } as AccessLogEntry
    log.write(entry)
    now += jump
    log.write(entry)
    now = START
    log.write(entry)
    await log.close()
    const files = readdirSync(dir)
    const lines = files.flatMap(name =>
      readFileSync(join(dir, name), 'utf8')
        .trim()
        .split('\n')
        .map(line => ({ name, time: (JSON.parse(line) as { time: string }).time })),
    )
    t.equal(lines.length, 3, 'none is lost')
    for (const { name, time } of lines) t.match(name, time.slice(0, 10))
  })

  t.test(`${what}: the last state goes on being kept`, async t => {
    const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
    const said: unknown[] = []
    const logger = { warn: (...line: unknown[]) => void said.push(line) }
    const keeper = new LastStateKeeper({ file: join(config.dataDir, 'last-state.json'), logger })
    const version = { id: 'v', builtAt: 0, lists: [], index: 'i.bin', hosts: 0, starterDigest: '' }
    const state = {
      policy: { version: 1, body: aPolicy() },
      lists: { version: 1, body: { ...version, activatedAt: 0, activatedBy: '', previous: null } },
      grants: [],
    }
    for (const at of [START, START + jump, START]) {
      keeper.keep({ ...state, at }, true)
      await elapsed(60)
      t.equal((await readLastState(config, CATALOGUE, at)).state?.at, at)
    }
    await keeper.close()
    t.same(said, [])
  })
}
