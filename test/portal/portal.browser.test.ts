import type { Page } from 'playwright-core'
import tap from 'tap'
import { openBrowser, violationsOf } from '../support/browser.ts'
import { PortalWorld } from './portal-world.ts'

const PAGE = 'http://jeux.example/partie?id=7#score'

async function violations(page: Page): Promise<string[]> {
  return (await violationsOf(page)).map(({ id, impact }) => `${impact}: ${id}`)
}

tap.test('in a real browser', async t => {
  const world = await PortalWorld.open(t)
  const browser = await openBrowser(t, { proxy: `http://127.0.0.1:${world.portal.port}` })

  await t.test(
    'one click by keyboard is enough: the page says how it stands, then opens the site',
    async t => {
      const page = await browser.newPage({ locale: 'fr-FR' })
      const problems: string[] = []
      page.on('pageerror', error => problems.push(error.message))
      page.on('console', message => {
        if (/Content Security Policy|Refused/.test(message.text())) problems.push(message.text())
      })
      await page.goto('http://adulte.example/')
      await page.goto(PAGE)
      t.equal(await page.locator('#back').isVisible(), true)
      t.same(await violations(page), [])
      await page.keyboard.press('Tab')
      t.equal(await page.locator(':focus').textContent(), 'Revenir en arrière')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByText('Demande envoyée à 10:42').waitFor()
      t.equal(await page.locator('#ask').isVisible(), false)
      t.equal(
        await page.locator(':focus').getAttribute('id'),
        'state',
        'the focus is not lost with the button',
      )
      await world.see()
      await page.getByText('vue par la DSI à 10:42').waitFor()
      t.same(await violations(page), [])
      await world.approve()
      await world.swap()
      await page.getByText('the site itself').waitFor()
      t.equal(page.url(), PAGE)
      t.same(problems, [])
      await page.close()
    },
  )

  await t.test('without script the same click works', async t => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'fr-FR' })
    const page = await context.newPage()
    await page.goto('http://autre.example/lecon?id=1')
    t.equal(await page.locator('#back').isVisible(), false)
    await page.getByRole('button', { name: 'Demander le déblocage' }).click()
    await page.getByText('Demande envoyée à 10:42').waitFor()
    t.equal(page.url(), 'http://autre.example/lecon?id=1')
    t.equal(await page.locator('button:visible').count(), 0)
    await context.close()
  })

  await t.test('nothing is cut at 320 pixels, in the dark', async t => {
    const context = await browser.newContext({
      viewport: { width: 320, height: 640 },
      colorScheme: 'dark',
    })
    const page = await context.newPage()
    const pages = [
      'http://autre.example/',
      'http://adulte.example/',
      'http://blog.example/',
      'http://preau.internal/',
    ]
    for (const url of pages) {
      await page.goto(url)
      t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, url)
      t.same(await violations(page), [], url)
    }
    await context.close()
  })

  await t.test('the card of a frame fits the smallest of frames', async t => {
    for (const [width, height] of [
      [320, 240],
      [200, 90],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height } })
      for (const url of ['https://adulte.example/', 'https://blog.example/']) {
        const { body } = await world.ask(url, { headers: { 'sec-fetch-dest': 'iframe' } })
        await page.route('**/card', route => route.fulfill({ body, contentType: 'text/html' }))
        await page.goto('http://jeux.example/card')
        await page.unroute('**/card')
        t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
        t.equal(await page.evaluate('document.documentElement.scrollHeight <= innerHeight'), true)
        t.same(await violations(page), [], url)
      }
      await page.close()
    }
  })
})
