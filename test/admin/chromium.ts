/** Debian's Chromium on an admin app that really listens, with the real store. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld, PASSWORD, type World } from './world.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']

/** false, or why the browser tests cannot run. */
export const skip = existsSync(CHROMIUM)
  ? false
  : `${CHROMIUM} is not installed: apt-get install chromium`

interface Scope {
  testdir(): string
  teardown(end: () => unknown): void
}

export async function startWorld(
  t: Scope,
): Promise<{ world: World; url: string; browser: Browser }> {
  const store = await openSqliteStore(`${t.testdir()}/preau.db`)
  t.teardown(() => store.close())
  const world = await openWorld(t, { store, catalogue: loadCatalogue(), realClock: true })
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())
  return { world, url, browser }
}

/** Signs in with the keyboard only. */
export async function signIn(browser: Browser, url: string, name: string): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'fr-FR' })
  const page = await context.newPage()
  await page.goto(`${url}/sign-in`)
  await page.keyboard.type(name)
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${url}/`)
  return context
}
