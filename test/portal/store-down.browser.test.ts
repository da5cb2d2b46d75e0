/** What a teacher sees while the store is down: it is said, the click is kept, and the page goes on by itself. */
import type { Page } from 'playwright-core'
import tap from 'tap'
import { openBrowser, violationsOf } from '../support/browser.ts'
import { Outage } from './outage.ts'
import { PortalWorld } from './portal-world.ts'

const shots = process.env['PREAU_SHOTS']
const shoot = async (page: Page, name: string): Promise<void> => {
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
}

// Pages try again by themselves after some seconds.
tap.setTimeout(90_000)

tap.test('during an outage', async t => {
  const outage = new Outage()
  const world = await PortalWorld.open(t, { wrap: outage.wrap })
  const browser = await openBrowser(t, { proxy: `http://127.0.0.1:${world.portal.port}` })
  const open = async (locale: string, url: string, options = {}): Promise<Page> => {
    const context = await browser.newContext({ locale, ...options })
    const page = await context.newPage()
    await page.goto(url)
    return page
  }

  await t.test('a click is kept by the page and sent when the store is back', async t => {
    outage.isDown = false
    const page = await open('fr-FR', 'http://jeux.example/')
    outage.isDown = true
    await page.getByRole('button', { name: 'Demander le déblocage' }).click()
    await page.getByText('n’est pas encore partie').waitFor()
    t.equal(await page.locator('.steps').isVisible(), false, 'nothing says « envoyée »')
    await shoot(page, 'unsent-fr')
    t.same(await violationsOf(page), [])
    outage.isDown = false
    // By itself: nobody clicks again.
    await page.getByText('Demande envoyée à 10:42').waitFor({ timeout: 30_000 })
    t.equal((await world.requests()).length, 1)
    await shoot(page, 'sent-fr')
    await page.context().close()
  })

  await t.test('a page that is opened says so, and offers its button when it is over', async t => {
    outage.isDown = true
    for (const [locale, text] of [
      ['fr-FR', 'n’est pas possible pour le moment'],
      ['en-GB', 'is not possible for now'],
    ] as const) {
      const page = await open(locale, 'http://autre.example/')
      await page.getByText(text).waitFor()
      await shoot(page, `unavailable-${locale}`)
      t.same(await violationsOf(page), [])
      await page.context().close()
    }
    const small = await open('fr-FR', 'http://autre.example/', {
      viewport: { width: 320, height: 640 },
      colorScheme: 'dark',
    })
    await shoot(small, 'unavailable-small')
    t.equal(await small.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
    outage.isDown = false
    await small.getByRole('button', { name: 'Demander le déblocage' }).waitFor({ timeout: 10_000 })
    t.pass('without a reload')
    await small.context().close()
  })

  await t.test('without script it is said as well, and the way back is there', async t => {
    outage.isDown = true
    const page = await open('fr-FR', 'http://autre.example/lecon', { javaScriptEnabled: false })
    await page.getByRole('button', { name: 'Réessayer' }).click()
    await page.getByText('La demande n’est pas partie').waitFor()
    await shoot(page, 'refused-click-fr')
    outage.isDown = false
    await page.getByRole('link', { name: 'Revenir à la page et réessayer' }).click()
    await page.getByRole('button', { name: 'Demander le déblocage' }).click()
    await page.getByText('Demande envoyée').waitFor()
    t.equal(page.url(), 'http://autre.example/lecon')
    await page.context().close()
  })

  await t.test('a warning says why it stays closed', async t => {
    outage.isDown = true
    for (const [locale, button] of [
      ['fr-FR', 'Continuer vers le site'],
      ['en-GB', 'Go on to the site'],
    ] as const) {
      const page = await open(locale, 'http://blog.example/')
      await page.getByRole('button', { name: button }).click()
      await page.locator('.actions a').waitFor()
      await shoot(page, `warning-${locale}`)
      t.same(await violationsOf(page), [])
      await page.context().close()
    }
  })
})
