/**
 * Runs a test file in a process of its own. Not with tap's own runner: that loads its coverage hooks into every program
 * that a test starts, which doubles the work of a start and makes what is tested another program than a city's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Of one file. Whole products take their time on a busy machine; only what hangs reaches it. */
const TIMEOUT_S = 300
/** tap itself says what kept it and ends; what does not even do that is killed. */
const LAST_WORDS_S = 10

export interface Ran {
  readonly isOk: boolean
  readonly passed: number
  readonly failed: number
  /** All that it said; what it measured or left out. */
  readonly said: readonly string[]
  readonly remarks: readonly string[]
  readonly tookMs: number
}

export async function runTestFile(file: string): Promise<Ran> {
  const from = performance.now()
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', TAP_TIMEOUT: String(TIMEOUT_S) },
  })
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', line => said.push(line))
  createInterface({ input: child.stderr }).on('line', line => said.push(`# ${line}`))
  const hanging = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT_S + LAST_WORDS_S) * 1_000)
  child.once('exit', () => {
    clearTimeout(hanging)
    // A program that a failed test left behind would hold the pipes for ever.
    setTimeout(() => {
      child.stdout.destroy()
      child.stderr.destroy()
    }, LAST_WORDS_S * 1_000).unref()
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const total = said.map(readTotal).findLast(found => found !== null)
  if (total === undefined) said.push(`# ended with ${code ?? signal} before its tests`)
  const isOk = code === 0 && total !== undefined
  const [, , passed = 0, failed = 0] = total ?? []
  return {
    isOk,
    passed: Number(passed),
    // One that ended badly has failed, whatever it counted.
    failed: isOk ? 0 : Math.max(1, Number(failed)),
    said,
    remarks: said.flatMap(remarkOf),
    tookMs: performance.now() - from,
  }
}

const readTotal = (line: string): RegExpExecArray | null =>
  /^# \{ total: (\d+)(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line)

/** What was measured, and what could not be played here. */
function remarkOf(line: string): string[] {
  if (/^\s+# (?:measured|skipped)/.test(line)) return [line]
  const [, name, reason] = /^\s*ok \d+ - (.*) # SKIP (.*)$/.exec(line) ?? []
  return name === undefined ? [] : [`# skipped: ${name}: ${reason}`]
}
