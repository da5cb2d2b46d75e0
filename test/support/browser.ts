/** Debian's Chromium, with a profile of its own that trusts the certificates it is given. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import type { Test } from 'tap'
import { runProgram } from './product.ts'

const EXECUTABLE = '/usr/bin/chromium'
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** Opens a browser; `trusted` are PEM files of authorities, put where Chromium on Linux looks for them. */
export async function openBrowser(
  t: Test,
  home: string,
  trusted: readonly string[],
): Promise<Browser> {
  const database = join(home, '.pki/nssdb')
  mkdirSync(database, { recursive: true })
  const certutil = (...args: string[]) => runProgram('certutil', ['-d', `sql:${database}`, ...args])
  await certutil('-N', '--empty-password')
  for (const [i, file] of trusted.entries()) {
    const { code, stderr } = await certutil('-A', '-t', 'C,,', '-n', `authority-${i}`, '-i', file)
    if (code !== 0) throw new Error(stderr)
  }
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ARGUMENTS,
    env: { ...process.env, HOME: home } as Record<string, string>,
  })
  t.teardown(() => browser.close())
  return browser
}
