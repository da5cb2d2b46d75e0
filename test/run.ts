/**
 * `npm test`: brings the system packages that the tests use, then the type check, the linter and every test file.
 * Ends with `N passed, N failed`. A suite that cannot run here is skipped with its reason; on CI that is a failure.
 * Arguments: test files to run instead of all (the type check and the linter are then left out).
 */
import { spawn, spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { existsSync, globSync, writeFileSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { createInterface } from 'node:readline'

// As npm does for its scripts, so that this file can be run by itself.
process.env['PATH'] = `${resolve('node_modules/.bin')}${delimiter}${process.env['PATH']}`

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

function run(name: string, command: string, args: string[]): boolean {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${name}`)
  return status === 0
}

const BUILT = 'node_modules/@tapjs/.built'

interface Counts {
  passed: number
  failed: number
}

/** Runs tap and shows a line per file; of a file that fails, all that it said. */
async function runTap(files: readonly string[]): Promise<Counts> {
  // tap builds its test class for the plugins of package.json at its first run, which itself still has the old ones.
  // Once: two runs that build at the same time would leave half of it.
  if (!existsSync(BUILT) && run('test runner', 'tap', ['build'])) writeFileSync(BUILT, '')
  const child = spawn('tap', ['--reporter=tap', '--timeout=180', '--jobs=3', ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const counts: Counts = { passed: 0, failed: 0 }
  let said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const total = /^# \{ total: (\d+)(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line)
    if (total) {
      counts.passed = Number(total[2] ?? 0)
      counts.failed = Number(total[3] ?? 0)
    }
    if (/^(?:not )?ok /.test(line)) {
      if (line.startsWith('not ok')) console.log(said.join('\n'))
      console.log(line)
      said = []
    } else said.push(line)
    // What a test measured is worth showing whether it passes or not.
    if (/^\s+# (?:measured|skipped)/.test(line)) console.log(line.trim())
  }
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

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

const checks =
  asked.length > 0
    ? []
    : [
        run('types', 'tsc', ['--noEmit']),
        run('linter', 'oxlint', ['--type-aware', '--deny-warnings']),
        run('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
      ]
const counts = await runTap(all.filter(file => !skipped.includes(file)))
const failedChecks = checks.filter(passed => !passed).length
const passed = counts.passed + checks.length - failedChecks
const failed = counts.failed + failedChecks + (isCi ? skipped.length : 0)
const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
console.log(`${passed} passed, ${failed} failed${tail}`)
process.exitCode = failed === 0 ? 0 : 1
