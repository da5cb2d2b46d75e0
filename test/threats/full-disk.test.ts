/** Case 114: a disk without place for the access log. The exchanges go on; the log resumes, with whole lines, without a restart. */
import t, { type Test } from 'tap'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileOfDay, openAccessLog, type AccessLogEntry } from '../../src/access-log/access-log.ts'
import { notLinux } from '../support/process-state.ts'
import { eventually } from '../support/proxy-world.ts'
import { runProgram, startProduct } from '../support/product.ts'

const DAY = '2026-11-23'
const options = {
  timeZone: () => 'Europe/Paris',
  clock: () => Date.parse(`${DAY}T10:00:00+01:00`),
}
const line = (exchange: string, host = 'free.test'): AccessLogEntry => ({
  exchange,
  ip: '10.1.2.3',
  site: '0750001A',
  room: 'Salle 1',
  profile: 'pupils',
  method: 'CONNECT',
  host,
  port: 443,
  verdict: 'allow',
  reason: 'default',
  status: 200,
  bytesUp: 1,
  bytesDown: 2,
  durationMs: 3,
})

t.test(
  'what finds no place is lost in the end, counted, and nothing else happens',
  {
    skip: notLinux,
  },
  async t => {
    const dir = t.testdir()
    symlinkSync('/dev/full', join(dir, fileOfDay(DAY)))
    let lost = 0
    const log = openAccessLog({ dir, ...options, onLost: lines => (lost += lines) })
    const host = 'x'.repeat(1_000)
    // Some 26 MB, where 16 MB may wait.
    for (let i = 0; i < 20_000; i++) log.write(line(`x-${i}`, host))
    await log.close()
    t.ok(lost > 5_000 && lost < 20_000, `${lost} lines lost`)
  },
)

t.test('a file that cannot be opened is tried again, and no line is missing then', async t => {
  const dir = t.testdir()
  const file = join(dir, fileOfDay(DAY))
  // Stands for a folder that takes no new file at midnight.
  mkdirSync(file)
  const log = openAccessLog({ dir, ...options })
  for (let i = 0; i < 500; i++) log.write(line(`x-${i}`))
  await new Promise(resolve => setTimeout(resolve, 300))
  rmdirSync(file)
  await eventually(() => globSync(file).length > 0 && statSync(file).size > 0)
  log.write(line('x-500'))
  await log.close()
  const exchanges = readFileSync(file, 'utf8').trimEnd().split('\n')
  t.strictSame(
    exchanges.map(text => (JSON.parse(text) as AccessLogEntry).exchange),
    Array.from({ length: 501 }, (_, i) => `x-${i}`),
  )
})

t.test('a log that never opens is given up at the end, counted', async t => {
  const dir = t.testdir()
  mkdirSync(join(dir, fileOfDay(DAY)))
  let lost = 0
  const log = openAccessLog({ dir, ...options, onLost: lines => (lost += lines) })
  for (let i = 0; i < 10; i++) log.write(line(`x-${i}`))
  await log.close()
  t.equal(lost, 10)
})

/** A disk of 64 kB; undefined where nobody may mount one. */
async function mountSmallDisk(t: Test, at: string): Promise<string | undefined> {
  mkdirSync(at, { recursive: true })
  const { code } = await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at])
  if (code !== 0) return undefined
  t.teardown(() => runProgram('umount', ['-l', at]))
  return at
}

t.test('a worker filters on with a full disk, and logs again when there is place', async t => {
  // Not `t.testdir()`: it is removed while the disk still stands in it.
  const dir = mkdtempSync(join(tmpdir(), 'preau-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const disk = notLinux ? undefined : await mountSmallDisk(t, join(dir, 'data/access-log'))
  if (disk === undefined) {
    t.comment('skipped: no right to mount a small disk here')
    return
  }
  const filler = join(disk, 'filler')
  // Leaves place for some thirty lines: the last one ends in its middle.
  writeFileSync(filler, Buffer.alloc(56 * 1_024))
  const product = await startProduct(t, { dir })
  const workers = product.children()
  const ask = async (): Promise<string> => {
    const args = ['-s', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', '-x', product.proxyUrl]
    return (await runProgram('curl', [...args, 'http://www.miniclip.com/[1-20]'])).stdout
  }
  const sizes = (): number[] => globSync(join(disk, '*.jsonl')).map(file => statSync(file).size)
  const answers = '403'.repeat(20)
  for (let i = 0; i < 3; i++) t.equal(await ask(), answers)
  await eventually(() => sizes()[0] === 8 * 1_024)
  t.strictSame(sizes(), [8 * 1_024], 'the disk is full')
  t.equal(await ask(), answers, 'the pages come all the same')
  rmSync(filler)
  t.equal(await ask(), answers)
  await eventually(() => (sizes()[0] ?? 0) > 8 * 1_024)
  t.strictSame(product.children(), workers, 'by the same processes')
  await product.stop()
  t.equal(product.accessLog().length, 100, 'every line is there, whole')
})
