/**
 * `npm test`: brings the system packages that the tests use, then the type check, the linter and every test file.
 * Ends with `N passed, N failed`. A suite that cannot run here is skipped with its reason; on CI that is a failure.
 * Arguments: test files to run instead of all (the type check and the linter are then left out).
 */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { existsSync, globSync, writeFileSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { runProgram } from './support/product.ts'
import { runTestFile } from './support/test-file.ts'

// As npm does for its scripts, so that this file can be run by itself.
process.env['PATH'] = `${resolve('node_modules/.bin')}${delimiter}${process.env['PATH']}`
// Hundreds of processes load the same code: compiled once, by whoever comes first.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compiled')
/** One more than cores: most tests wait for something most of the time. */
const JOBS = 3

interface Requirement {
  readonly command: string
  readonly debianPackage: string
  /** The test files that cannot run without it. */
  readonly needs: (file: string) => boolean
}

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
    needs: file => file.includes('/tls/') || file.includes('-tls.'),
  },
  { command: 'redis-server', debianPackage: 'redis-server', needs: isShared },
  { command: 'redis-cli', debianPackage: 'redis-tools', needs: isShared },
  {
    command: 'curl',
    debianPackage: 'curl',
    needs: file => isClient(file) || file.includes('/tls/'),
  },
  { command: 'wget', debianPackage: 'wget', needs: isClient },
  { command: 'git', debianPackage: 'git', needs: isClient },
  { command: 'npm', debianPackage: 'npm', needs: file => file.includes('/npm.') },
  { command: 'dpkg-deb', debianPackage: 'dpkg', needs: file => file.includes('/apt.') },
  { command: 'apt-get', debianPackage: 'apt', needs: file => file.includes('/apt.') },
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

const has = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** Installs what is missing where it may; returns what is still missing. */
function bringPackages(): Requirement[] {
  const missing = REQUIREMENTS.filter(({ command }) => !has(command))
  if (missing.length === 0) return []
  const mayInstall = process.getuid?.() === 0 && has('apt-get')
  if (mayInstall) {
    const packages = missing.map(({ debianPackage }) => debianPackage)
    console.log(`# installing ${packages.join(' ')}`)
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    } satisfies SpawnSyncOptions
    spawnSync('apt-get', ['update', '-qq'], options)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
  }
  return missing.filter(({ command }) => !has(command))
}

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

/** What takes long begins first, so that the end is not one long file alone. */
const isLong = (file: string): boolean => /\/(?:e2e|outages)\/|\.browser\./.test(file)

const asked = process.argv.slice(2)
const isCi = Boolean(process.env['CI'])
const missing = bringPackages()
const all = asked.length > 0 ? asked : globSync('test/**/*.test.ts').sort()
const skipped = all.filter(file => missing.some(({ needs }) => needs(`/${file}`)))
for (const file of skipped) {
  const packages = missing
    .filter(({ needs }) => needs(`/${file}`))
    .map(({ debianPackage }) => debianPackage)
  console.log(
    `# skipped ${file}: ${packages.join(', ')} missing here. Run: sudo apt-get install -y ${packages.join(' ')}`,
  )
}
if (!existsSync('../shared/data'))
  console.log('# the UT1 snapshot is not beside the project: its tests are left out')

const counts = { passed: 0, failed: 0 }

async function check(name: string, command: string, args: string[]): Promise<void> {
  const isOk = await run(name, command, args)
  counts[isOk ? 'passed' : 'failed']++
}

let ended = 0
/** A line per file, as tap does; of one that fails, all that it said. */
async function testFile(file: string): Promise<void> {
  const { isOk, passed, failed, said, remarks, tookMs } = await runTestFile(file)
  ended++
  counts.passed += passed
  counts.failed += failed
  if (!isOk) console.log([`# Subtest: ${file}`, ...said.map(line => `    ${line}`)].join('\n'))
  for (const remark of remarks) console.log(remark.trim())
  console.log(`${isOk ? 'ok' : 'not ok'} ${ended} - ${file} # time=${tookMs.toFixed()}ms`)
}

const files = all.filter(file => !skipped.includes(file))
const checks = [
  () => check('types', 'tsc', ['--noEmit']),
  () => check('linter', 'oxlint', ['--type-aware', '--deny-warnings']),
  () => check('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
]
const work = [
  ...(asked.length > 0 ? [] : checks),
  ...[...files.filter(isLong), ...files.filter(file => !isLong(file))].map(
    file => () => testFile(file),
  ),
].values()
// All take from the same list.
const takeTurns = async (): Promise<void> => {
  for (const task of work) await task()
}
await Promise.all(Array.from({ length: JOBS }, takeTurns))

if (isCi) counts.failed += skipped.length
const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${tail}`)
process.exitCode = counts.failed === 0 ? 0 : 1
