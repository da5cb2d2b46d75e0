/**
 * `npm test`: brings the system packages that the tests use, then the type check, the linter and every test file.
 * Ends with `N passed, N failed`. A suite that cannot run here is skipped with its reason; on CI that is a failure.
 * Arguments: test files to run instead of all (the type check and the linter are then left out).
 */
import { existsSync, globSync, writeFileSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { runProgram } from './support/product.ts'
import { bringPackages, has, type Requirement } from './support/system-packages.ts'
import { runTestFile } from './support/test-file.ts'

// As npm does for its scripts, so that this file can be run by itself.
process.env['PATH'] = `${resolve('node_modules/.bin')}${delimiter}${process.env['PATH']}`
// Hundreds of processes load the same code: compiled once, by whoever comes first.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compiled')
/** How many files with whole products or browsers run at once; beside them run the others, one by one. */
const LONG_JOBS = 2

const isBrowser = (file: string): boolean => file.endsWith('.browser.test.ts')
/** What runs a Redis of its own. */
const isShared = (file: string): boolean =>
  file.includes('/redis') || file.includes('/outages/') || file.includes('/shared-')
/** What runs a systemd of its own. */
const isBooted = (file: string): boolean => file.includes('/supervision-booted.')
const isClient = (file: string): boolean => file.includes('/e2e/')
const REQUIREMENTS: readonly Requirement[] = [
  { command: 'chromium', debianPackage: 'chromium', needs: isBrowser },
  { command: 'certutil', debianPackage: 'libnss3-tools', needs: isBrowser },
  {
    command: 'openssl',
    debianPackage: 'openssl',
    needs: file => /\/tls\/|-tls\.|second-hello/.test(file),
  },
  { command: 'redis-server', debianPackage: 'redis-server', needs: isShared },
  { command: 'redis-cli', debianPackage: 'redis-tools', needs: isShared },
  {
    command: 'curl',
    debianPackage: 'curl',
    needs: file => isClient(file) || /\/(?:tls\/|dns-trouble|full-disk)/.test(file),
  },
  { command: 'wget', debianPackage: 'wget', needs: isClient },
  { command: 'git', debianPackage: 'git', needs: isClient },
  { command: 'npm', debianPackage: 'npm', needs: file => file.includes('/npm.') },
  { command: 'dpkg-deb', debianPackage: 'dpkg', needs: file => file.includes('/apt.') },
  { command: 'apt-get', debianPackage: 'apt', needs: file => file.includes('/apt.') },
  { command: 'squid', debianPackage: 'squid', needs: file => file.includes('/parent-squid.') },
  { command: 'systemctl', debianPackage: 'systemd', needs: isBooted },
  { command: 'ss', debianPackage: 'iproute2', needs: isBooted },
  { command: 'pgrep', debianPackage: 'procps', needs: isBooted },
  {
    command: 'faketime',
    debianPackage: 'faketime',
    needs: file => file.includes('/outages/clock.'),
  },
  {
    command: 'firefox-esr',
    debianPackage: 'firefox-esr',
    needs: file => file.includes('/firefox.'),
  },
]

/** Says nothing when all is well. Resolves whether it is. */
async function run(name: string, command: string, args: string[]): Promise<boolean> {
  const { code, stdout, stderr } = await runProgram(command, args)
  if (code !== 0) console.log(`${stdout}${stderr}`)
  console.log(`${code === 0 ? 'ok' : 'not ok'} - ${name}`)
  return code === 0
}

const BUILT = 'node_modules/@tapjs/.built'
// tap builds its test class for the plugins of package.json. Once: two runs that build at the same time would leave
// half of it.
if (!existsSync(BUILT) && (await run('test runner', 'tap', ['build']))) writeFileSync(BUILT, '')

const isLong = (file: string): boolean => /\/(?:e2e|outages)\/|\.browser\./.test(file)
/** Of the long ones: what takes longest begins first, so that the end is not one file alone. */
const isLongest = (file: string): boolean =>
  /supervision|command-line|failover|\/redis\./.test(file)

const asked = process.argv.slice(2)
const isCi = Boolean(process.env['CI'])
const files = asked.length > 0 ? asked : globSync('test/**/*.test.ts').sort()
if (!existsSync('../shared/data'))
  console.log('# the UT1 snapshot is not beside the project: its tests are left out')

const counts = { passed: 0, failed: 0, skipped: 0 }

async function check(name: string, command: string, args: string[]): Promise<void> {
  const isOk = await run(name, command, args)
  counts[isOk ? 'passed' : 'failed']++
}

const missing = REQUIREMENTS.filter(({ command }) => !has(command))
const bringing = bringPackages(missing)
/** The packages without which it cannot run here. */
async function lackingFor(file: string): Promise<string[]> {
  const needed = missing.filter(({ needs }) => needs(`/${file}`))
  if (needed.length === 0 && !isLong(file)) return []
  const still = await bringing
  return needed.filter(one => still.includes(one)).map(({ debianPackage }) => debianPackage)
}

let ended = 0
/** A line per file, as tap does; of one that fails, all that it said. */
async function testFile(file: string): Promise<void> {
  const packages = (await lackingFor(file)).join(' ')
  if (packages !== '') {
    counts.skipped++
    console.log(`# skipped ${file}: missing here. Run: sudo apt-get install -y ${packages}`)
    return
  }
  const { isOk, passed, failed, said, remarks, tookMs } = await runTestFile(file)
  ended++
  counts.passed += passed
  counts.failed += failed
  if (!isOk) console.log([`# Subtest: ${file}`, ...said.map(line => `    ${line}`)].join('\n'))
  for (const remark of remarks) console.log(remark.trim())
  console.log(`${isOk ? 'ok' : 'not ok'} ${ended} - ${file} # time=${tookMs.toFixed()}ms`)
}

type Task = () => Promise<void>
const checks: Task[] = [
  () => check('types', 'tsc', ['--noEmit']),
  () => check('linter', 'oxlint', ['--type-aware', '--deny-warnings']),
  () => check('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
]
const toTasks = (some: readonly string[]): Task[] => some.map(file => () => testFile(file))
const long = files.filter(isLong).sort((a, b) => Number(isLongest(b)) - Number(isLongest(a)))
const longTasks = toTasks(long).values()
const shortTasks = [
  ...(asked.length > 0 ? [] : checks),
  ...toTasks(files.filter(file => !isLong(file))),
].values()

/** The iterators are shared: each task is taken once, by whoever comes first, and who has nothing left helps the others. */
async function work(...kinds: Iterable<Task>[]): Promise<void> {
  for (const tasks of kinds) for (const task of tasks) await task()
}
await Promise.all([
  work(shortTasks, longTasks),
  ...Array.from({ length: LONG_JOBS }, () => work(longTasks, shortTasks)),
])

if (isCi) counts.failed += counts.skipped
const tail = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${tail}`)
process.exitCode = counts.failed === 0 ? 0 : 1
