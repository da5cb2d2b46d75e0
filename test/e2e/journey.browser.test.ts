/** The first journey: a pupil's PC is stopped, the teacher asks with one click, the DSI approves, the page opens. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { openAuthority } from '../../src/tls/authority.ts'
import { openBrowser } from '../support/browser.ts'
import { runCli, startProduct, type Product } from '../support/product.ts'
import { host } from '../support/snapshot.ts'
import { until } from '../support/supervised.ts'

const SITE = 'echecs.test'
const PASSWORD = 'un mot de passe de la ville'
const PATIENCE_MS = 30_000

async function openSite(t: Test, dir: string): Promise<string> {
  const authority = await openAuthority(join(dir, 'site-ca'), {
    cityName: 'Sites',
    now: Date.now(),
  })
  const { certPem, keyPem } = await authority.issueLeaf(host(SITE), Date.now())
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
    response.end(
      `<!doctype html><html lang="fr"><title>Les échecs</title><h1>La leçon d’échecs</h1><p>${request.url}</p></html>`,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://${SITE}:${(server.address() as AddressInfo).port}`
}

async function signIn(context: BrowserContext, product: Product): Promise<Page> {
  const page = await context.newPage()
  await page.goto(product.setupUrl ?? '')
  await page.fill('input[name=name]', 'Alice Martin')
  await page.fill('input[name=password]', PASSWORD)
  await page.fill('input[name=repeat]', PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${product.adminUrl}/`)
  return page
}

const rowOf = (admin: Page) => admin.locator('li.request', { hasText: SITE })
const heading = (page: Page) => page.locator('h1')

async function openWorld(t: Test) {
  const dir = t.testdir()
  const url = await openSite(t, dir)
  const product = await startProduct(t, { dir, names: [SITE] })
  writeFileSync(join(dir, 'games.txt'), `${SITE}\n`)
  const imported = await runCli(product.configFile, [
    'lists',
    'import',
    join(dir, 'games.txt'),
    '--category',
    'games',
  ])
  t.equal(imported.code, 0, imported.stderr)
  const browser = await openBrowser(t, {
    home: dir,
    trusted: [product.caFile, join(dir, 'site-ca/ca.pem')],
  })
  const proxy = { server: product.proxyUrl, bypass: '<-loopback>' }
  const pupils = (more: object = {}) => browser.newContext({ proxy, locale: 'fr-FR', ...more })
  const dsi = await browser.newContext({ locale: 'fr-FR', viewport: { width: 1280, height: 800 } })
  for (const context of [dsi]) context.setDefaultTimeout(PATIENCE_MS)
  return { product, url, pupils, dsi, browser }
}

/** The list is followed by running processes within a moment: wait until the site is really refused. */
async function untilRefused(page: Page, url: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const answer = await page.goto(url)
    if (answer?.status() === 403) return
    await page.waitForTimeout(100)
  }
}

t.test('blocked page, click, request, approval, open page: nobody reloads anything', async t => {
  const { product, url, pupils, dsi } = await openWorld(t)
  const admin = await signIn(dsi, product)
  const pupil = await (await pupils()).newPage()
  pupil.setDefaultTimeout(PATIENCE_MS)
  const lesson = `${url}/lecon?exercice=3`
  await untilRefused(pupil, lesson)
  t.match(
    await pupil.locator('main').innerText(),
    new RegExp(`${SITE}[\\s\\S]*Jeux en ligne[\\s\\S]*École de démonstration`),
  )
  await shoot(pupil, 'block-page')

  await pupil.getByRole('button', { name: 'Demander le déblocage' }).click()
  await pupil.getByText(/Demande envoyée à/).waitFor()
  await rowOf(admin).waitFor()
  t.pass('the request appears in the list of the DSI without a reload')
  await pupil.getByText(/vue par la DSI/i).waitFor()
  t.pass('the pupil’s page says that the DSI has seen it')
  await shoot(pupil, 'block-page-seen')
  await shoot(admin, 'admin-list')

  const approvedAt = performance.now()
  await rowOf(admin).locator('form.approve button').click()
  await pupil.getByText('La leçon d’échecs').waitFor()
  const openedMs = performance.now() - approvedAt
  t.comment(`measured: approval to open page ${openedMs.toFixed(0)} ms`)
  t.equal(await heading(pupil).innerText(), 'La leçon d’échecs')
  t.equal(pupil.url(), lesson, 'the very page that was asked for')
  await shoot(admin, 'admin-decided')

  await admin.goto(`${product.adminUrl}/grants`)
  await shoot(admin, 'admin-grants')
  await admin
    .getByRole('button', { name: /Révoquer/ })
    .first()
    .click()
  const isClosed = async (): Promise<boolean> => (await pupil.goto(lesson))?.status() === 403
  await until(isClosed)
  t.ok(await isClosed(), 'a revoked grant closes the site again')
  const lines = (): string[] =>
    product.accessLog().map(({ verdict, reason }) => `${verdict} ${reason}`)
  await until(() => lines().includes('block blocked-category') && lines().includes('allow grant'))
  t.ok(lines().includes('block blocked-category'))
  t.ok(
    lines().includes('allow grant'),
    'the tunnel that the grant held open was cut: its line is written',
  )
})

t.test('without JavaScript the teacher asks and gets the page all the same', async t => {
  const { product, url, pupils, dsi } = await openWorld(t)
  const admin = await signIn(dsi, product)
  const pupil = await (await pupils({ javaScriptEnabled: false })).newPage()
  pupil.setDefaultTimeout(PATIENCE_MS)
  await untilRefused(pupil, `${url}/lecon`)
  await pupil.getByRole('button', { name: 'Demander le déblocage' }).click()
  await pupil.getByText(/Demande envoyée à/).waitFor()
  await rowOf(admin).waitFor()
  // A row that has just arrived takes no click yet.
  const choice = rowOf(admin).locator('details.refuse')
  await until(async () => {
    if ((await choice.getAttribute('open')) === null) await choice.locator('summary').click()
    return (await choice.getAttribute('open')) !== null
  })
  await rowOf(admin).locator('[name=reason]').fill('Pas pendant le cours de mathématiques')
  await rowOf(admin).locator('details.refuse form button.danger').click()
  await pupil.getByText('Pas pendant le cours de mathématiques').waitFor()
  t.pass('the reason of the refusal is read on the page that was refused')
})

/** Keeps a picture where `PREAU_SHOTS` names a folder, for people to look at. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['PREAU_SHOTS']
  if (folder !== undefined)
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
