import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openAccessLog } from '../../src/access-log/access-log.ts'
import { seenHosts } from '../../src/access-log/seen-hosts.ts'
import type { Host } from '../../src/policy/host.ts'

const NOW = Date.UTC(2026, 10, 24, 12)
const line = (host: string): string =>
  `${JSON.stringify({ v: 1, ip: '10.0.0.1', host, port: 443 })}\n`

t.test('hosts are counted over the days asked for, and not over others', async t => {
  const dir = t.testdir({
    'access-2026-11-24.jsonl': line('a.example') + line('b.example') + line('a.example'),
    'access-2026-10-26.jsonl': line('a.example'),
    'access-2026-10-20.jsonl': line('old.example'),
    'notes.txt': line('not-ours.example'),
  })
  const seen = await seenHosts(dir, 30, NOW, 1_000_000)
  t.same(
    [...seen].sort(([a], [b]) => (a < b ? -1 : 1)),
    [
      ['a.example', 3],
      ['b.example', 1],
    ],
  )
})

t.test('what the access log writes is what is read', async t => {
  const dir = t.testdir()
  const log = openAccessLog({ dir, timeZone: () => 'Europe/Paris', clock: () => NOW })
  const client = { exchange: 'x', ip: '10.0.0.1', site: 's', room: 'r', profile: 'p' }
  const answer = { method: 'CONNECT', port: 443, verdict: 'allow', reason: 'default', status: 200 }
  const sizes = { bytesUp: 1, bytesDown: 1, durationMs: 1 }
  log.write({ ...client, ...answer, ...sizes, host: 'www.example.com' })
  await log.close()
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['www.example.com', 1]])
})

t.test('broken lines count as nothing, whatever is in them', async t => {
  const broken = `{"host":"\n{"host":""}\n{"host":"no host!"}\n"host":"half.example\n${'x'.repeat(200_000)}\n`
  const dir = t.testdir({
    'access-2026-11-24.jsonl': `${broken}${line('a.example')}{"host":"cut.exam`,
  })
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['a.example', 1]])
  t.same([...(await seenHosts(join(dir, 'none'), 1, NOW, 1_000_000))], [])
})

t.test(
  'lines across the borders of chunks are whole, and the number of hosts is bounded',
  async t => {
    const dir = t.testdir()
    mkdirSync(dir, { recursive: true })
    const lines = Array.from({ length: 40_000 }, (_, i) => line(`h${i % 1_000}.example`)).join('')
    writeFileSync(join(dir, 'access-2026-11-24.jsonl'), lines)
    const seen = await seenHosts(dir, 1, NOW, 1_000_000)
    t.equal(seen.size, 1_000)
    t.ok([...seen.values()].every(count => count === 40))
    t.equal((await seenHosts(dir, 1, NOW, 10)).size, 10)
  },
)

t.test('a line that was cut within its host does not hide the whole one after it', async t => {
  const dir = t.testdir({ 'access-2026-11-24.jsonl': `{"host":"cut.exam${line('a.example')}` })
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['a.example', 1]])
})

t.test('a host is counted once wherever a chunk ends', async t => {
  const whole = line('border.example')
  for (let at = 0; at < whole.length; at++) {
    const dir = t.testdir({ 'access-2026-11-24.jsonl': `${' '.repeat(2 ** 20 - at)}${whole}` })
    const seen = await seenHosts(dir, 1, NOW, 1_000_000)
    t.same([...seen], [['border.example', 1]], `${at} bytes before the end of the chunk`)
  }
})

t.test('a flood of odd names drives out no host that is asked for often', async t => {
  const odd = Array.from({ length: 1_013 }, (_, i) => line(`odd${i}.example`)).join('')
  const often = line('school.example').repeat(3)
  const dir = t.testdir({ 'access-2026-11-24.jsonl': often + odd })
  const seen = await seenHosts(dir, 1, NOW, 10)
  t.equal(seen.get('school.example' as Host), 3)
  t.equal(seen.size, 10)
})
