import t from 'tap'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileOfDay, openAccessLog, type AccessLogEntry } from '../../src/access-log/access-log.ts'
import { deleteExpiredLogs } from '../../src/access-log/retention.ts'

const entry: AccessLogEntry = {
  exchange: 'x-1',
  ip: '10.1.2.3',
  site: '0750001A',
  room: 'Salle 1',
  profile: 'pupils',
  method: 'CONNECT',
  host: 'free.test',
  port: 443,
  verdict: 'allow',
  reason: 'default',
  status: 200,
  bytesUp: 1,
  bytesDown: 2,
  durationMs: 3,
}

t.test('each exchange is one line of JSON, on disk when the log closes', async t => {
  const dir = join(t.testdir(), 'log')
  const log = openAccessLog({
    dir,
    timeZone: () => 'Europe/Paris',
    clock: () => Date.parse('2026-11-23T10:00:00+01:00'),
  })
  for (let i = 0; i < 500; i++) log.write({ ...entry, exchange: `x-${i}` })
  await log.close()
  const file = join(dir, 'access-2026-11-23.jsonl')
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as object)
  t.equal(lines.length, 500)
  t.match(lines[7], { ...entry, exchange: 'x-7', time: /^\d{4}-\d\d-\d\dT/ })
  t.equal(statSync(file).mode & 0o777, 0o600, 'only Préau reads it')
})

t.test('a new day begins a new file, at the midnight of the city', async t => {
  const dir = t.testdir()
  let now = Date.parse('2026-11-23T23:59:59+01:00')
  const log = openAccessLog({ dir, timeZone: () => 'Europe/Paris', clock: () => now })
  log.write(entry)
  now += 1_000
  log.write(entry)
  log.write(entry)
  await log.close()
  t.strictSame(readdirSync(dir).toSorted(), ['access-2026-11-23.jsonl', 'access-2026-11-24.jsonl'])
  t.equal(
    readFileSync(join(dir, fileOfDay('2026-11-24')), 'utf8')
      .trimEnd()
      .split('\n').length,
    2,
  )
})

t.test('a site name with line breaks is still one line', async t => {
  const dir = t.testdir()
  const log = openAccessLog({ dir, timeZone: () => 'Europe/Paris', clock: () => 0 })
  log.write({ ...entry, room: 'a\r\n{"forged":true}\u001b[31m' })
  await log.close()
  t.equal(
    readFileSync(join(dir, readdirSync(dir)[0] ?? ''), 'utf8')
      .trimEnd()
      .split('\n').length,
    1,
  )
})

t.test('files older than the charter allows are deleted, and nothing else', async t => {
  const dir = t.testdir()
  for (const name of [
    'access-2026-01-01.jsonl',
    'access-2026-05-26.jsonl',
    'access-2026-05-27.jsonl',
    'access-2026-11-23.jsonl',
    'notes.txt',
    'access-old.jsonl',
  ]) {
    writeFileSync(join(dir, name), '')
  }
  const deleted = await deleteExpiredLogs(dir, 180, Date.parse('2026-11-23T10:00:00Z'))
  t.strictSame(deleted.toSorted(), ['access-2026-01-01.jsonl', 'access-2026-05-26.jsonl'])
  t.equal(readdirSync(dir).length, 4)
  t.strictSame(await deleteExpiredLogs(join(dir, 'absent'), 180, 0), [])
})
