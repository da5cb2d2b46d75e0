/** Debian's Chromium, as every browser test launches it, and axe on its pages. */
import axe from 'axe-core'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { runProgram } from './product.ts'

const EXECUTABLE = '/usr/bin/chromium'
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-features=HttpsUpgrades',
  '--no-first-run',
]

interface Scope {
  teardown(end: () => unknown): void
}

export interface BrowserOptions {
  /** PEM files of authorities, put where Chromium on Linux looks for them, below `home`. */
  readonly trusted?: readonly string[]
  readonly home?: string
  /** `http://<host>:<port>` */
  readonly proxy?: string
}

/** Opens a browser that ends with the test. */
export async function openBrowser(
  t: Scope,
  { home, trusted = [], proxy }: BrowserOptions = {},
): Promise<Browser> {
  if (home !== undefined) await trust(home, trusted)
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ARGUMENTS,
    ...(proxy === undefined ? {} : { proxy: { server: proxy } }),
    ...(home === undefined ? {} : { env: { ...process.env, HOME: home } }),
  })
  t.teardown(() => browser.close())
  return browser
}

async function trust(home: string, files: readonly string[]): Promise<void> {
  const database = join(home, '.pki/nssdb')
  mkdirSync(database, { recursive: true })
  const certutil = (...args: string[]) => runProgram('certutil', ['-d', `sql:${database}`, ...args])
  await certutil('-N', '--empty-password')
  for (const [i, file] of files.entries()) {
    const { code, stderr } = await certutil('-A', '-t', 'C,,', '-n', `authority-${i}`, '-i', file)
    if (code !== 0) throw new Error(stderr)
  }
}

/** What axe finds wrong on a page. */
export async function violationsOf(
  page: Page,
  options: axe.RunOptions = {},
): Promise<readonly axe.Result[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source)
  const asked = JSON.stringify({ ...options, resultTypes: ['violations'] })
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${asked})`)
  return violations
}
