import t from 'tap'
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileOfDay, openAccessLog, type AccessLogEntry } from '../../src/access-log/access-log.ts'
import { deleteExpiredLogs } from '../../src/access-log/retention.ts'
import { eventually } from '../support/proxy-world.ts'

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
    'access-2026-11-22.jsonl.1',
    'notes.txt',
    'access-old.jsonl',
    'access-2026-01-010.jsonl',
    'access.log.1',
  ]) {
    writeFileSync(join(dir, name), '')
  }
  const rotated = ['.jsonl.1', '.jsonl.2.gz', '.jsonl-20260102', '-20260102.jsonl', '.jsonl~'].map(
    end => `access-2026-01-01${end}`,
  )
  for (const name of rotated) writeFileSync(join(dir, name), '')
  const deleted = await deleteExpiredLogs(dir, 180, Date.parse('2026-11-23T10:00:00Z'))
  t.strictSame(
    deleted.toSorted(),
    ['access-2026-01-01.jsonl', 'access-2026-05-26.jsonl', ...rotated].toSorted(),
  )
  t.equal(readdirSync(dir).length, 7)
  t.strictSame(await deleteExpiredLogs(join(dir, 'absent'), 180, 0), [])
})

t.test(
  'a file that is cut to nothing, moved or deleted under it loses no line and tears none (case 126)',
  async t => {
    const dir = t.testdir()
    let now = Date.parse('2026-11-23T12:00:00+01:00')
    const log = openAccessLog({ dir, timeZone: () => 'Europe/Paris', clock: () => now })
    const file = join(dir, fileOfDay('2026-11-23'))
    const exchangesIn = (path: string): string[] =>
      readFileSync(path, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map(line => (JSON.parse(line) as AccessLogEntry).exchange)
    const write = async (exchange: string): Promise<void> => {
      const { size } = statSync(file)
      log.write({ ...entry, exchange })
      await eventually(() => statSync(file).size > size)
    }
    await write('x-1')
    const copied = exchangesIn(file)
    truncateSync(file)
    await write('x-2')
    t.strictSame([...copied, ...exchangesIn(file)], ['x-1', 'x-2'], 'copied, then cut to nothing')
    const moved = `${file}.1`
    renameSync(file, moved)
    log.write({ ...entry, exchange: 'x-3' })
    await eventually(() => existsSync(file))
    await write('x-4')
    t.strictSame([...exchangesIn(moved), ...exchangesIn(file)], ['x-2', 'x-3', 'x-4'], 'moved')
    rmSync(file)
    log.write({ ...entry, exchange: 'x-5' })
    await eventually(() => existsSync(file) && exchangesIn(file).length > 0)
    await write('x-6')
    t.ok(
      ['x-5', 'x-6'].every(exchange => exchangesIn(file).includes(exchange)),
      'deleted',
    )
    now += 86_400_000
    log.write({ ...entry, exchange: 'x-7' })
    await log.close()
    t.strictSame(exchangesIn(join(dir, fileOfDay('2026-11-24'))), ['x-7'])
  },
)
