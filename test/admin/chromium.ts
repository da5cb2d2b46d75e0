/** A browser on an admin app that really listens. */
import type { Browser, BrowserContext } from 'playwright-core'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { openBrowser } from '../support/browser.ts'
import { openWorld, PASSWORD, type World } from './world.ts'

interface Scope {
  testdir(): string
  teardown(end: () => unknown): void
}

export async function startWorld(
  t: Scope,
  shared?: Browser,
): Promise<{ world: World; url: string; browser: Browser }> {
  const world = await openWorld(t, { catalogue: loadCatalogue(), realClock: true })
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  return { world, url, browser: shared ?? (await openBrowser(t)) }
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
