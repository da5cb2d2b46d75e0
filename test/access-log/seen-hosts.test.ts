import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openAccessLog } from '../../src/access-log/access-log.ts'
import { seenHosts } from '../../src/access-log/seen-hosts.ts'
import type { Host } from '../../src/policy/host.ts'

const NOW = Date.UTC(2026, 10, 24, 12)
const line = (host: string, method = 'CONNECT'): string =>
  `${JSON.stringify({ v: 1, ip: '10.0.0.1', method, host, port: 443 })}\n`
const tunnels = (exchanges: number) => ({ exchanges, plain: 0 })

t.test('hosts are counted over the days asked for, and not over others', async t => {
  const dir = t.testdir({
    'access-2026-11-24.jsonl': line('a.example') + line('b.example') + line('a.example'),
    'access-2026-10-26.jsonl.1': line('a.example'),
    'access-2026-11-23.jsonl.2.gz': line('not-read.example'),
    'access-2026-10-20.jsonl': line('old.example'),
    'notes.txt': line('not-ours.example'),
  })
  const seen = await seenHosts(dir, 30, NOW, 1_000_000)
  t.same(
    [...seen].sort(([a], [b]) => (a < b ? -1 : 1)),
    [
      ['a.example', tunnels(3)],
      ['b.example', tunnels(1)],
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
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['www.example.com', tunnels(1)]])
})

t.test('what was asked for over plain HTTP is told apart: its addresses are seen', async t => {
  const all = line('a.example') + line('a.example', 'GET') + line('b.example', 'POST')
  const dir = t.testdir({ 'access-2026-11-24.jsonl': all })
  t.same(
    [...(await seenHosts(dir, 1, NOW, 1_000_000))],
    [
      ['a.example', { exchanges: 2, plain: 1 }],
      ['b.example', { exchanges: 1, plain: 1 }],
    ],
  )
})

t.test('broken lines count as nothing, whatever is in them', async t => {
  const broken = `{"host":"\n{"host":""}\n{"host":"no host!"}\n"host":"half.example\n${'x'.repeat(200_000)}\n`
  const dir = t.testdir({
    'access-2026-11-24.jsonl': `${broken}${line('a.example')}{"host":"cut.exam`,
  })
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['a.example', tunnels(1)]])
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
    t.ok([...seen.values()].every(({ exchanges }) => exchanges === 40))
    t.equal((await seenHosts(dir, 1, NOW, 10)).size, 10)
  },
)

t.test('a line that was cut within its host does not hide the whole one after it', async t => {
  const dir = t.testdir({ 'access-2026-11-24.jsonl': `{"host":"cut.exam${line('a.example')}` })
  t.same([...(await seenHosts(dir, 1, NOW, 1_000_000))], [['a.example', tunnels(1)]])
})

t.test('a host is counted once wherever a chunk ends', async t => {
  const whole = line('border.example')
  for (let at = 0; at < whole.length; at++) {
    const dir = t.testdir({ 'access-2026-11-24.jsonl': `${' '.repeat(2 ** 20 - at)}${whole}` })
    const seen = await seenHosts(dir, 1, NOW, 1_000_000)
    t.same([...seen], [['border.example', tunnels(1)]], `${at} bytes before the end of the chunk`)
  }
})

t.test('a flood of odd names drives out no host that is asked for often', async t => {
  const odd = Array.from({ length: 1_013 }, (_, i) => line(`odd${i}.example`)).join('')
  const often = line('school.example').repeat(3)
  const dir = t.testdir({ 'access-2026-11-24.jsonl': often + odd })
  const seen = await seenHosts(dir, 1, NOW, 10)
  t.same(seen.get('school.example' as Host), tunnels(3))
  t.equal(seen.size, 10)
})
