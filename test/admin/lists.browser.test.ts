import t from 'tap'
import type { Locator, Page } from 'playwright-core'
import { signIn, startWorld } from './chromium.ts'
import { aCandidate, inForce, putCandidate, putLists, putSource } from './list-world.ts'

const open = async (page: Page, url: string): Promise<void> => {
  const heard = page.waitForResponse(response => response.url().endsWith('/events'))
  await page.goto(url)
  await heard
}

t.test('a fetch is followed from its first byte to the new version, without a reload', async t => {
  const { world, url, browser } = await startWorld(t)
  const now = Date.now()
  await world.user('Claire', 'dsi')
  await putLists(world.store, inForce(now), now)
  await putSource(world.store, { name: 'jeux' })
  const [page] = (await signIn(browser, url, 'claire')).pages()
  if (page === undefined) throw new TypeError('no page')
  const problems: string[] = []
  page.on('console', message => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', error => problems.push(String(error)))
  await open(page, `${url}/lists/sources`)
  await page.evaluate('window.isSame = true')
  const bar = page.locator('progress')
  const work = { list: 'jeux', startedAt: now, by: 'Claire' }
  t.equal(await bar.count(), 0)

  world.work.show({ ...work, phase: 'download', done: 1_000_000 })
  await bar.waitFor()
  t.equal(await bar.getAttribute('value'), null, 'the end is not known yet')
  world.work.show({ ...work, phase: 'read', done: 5_000_000, total: 10_000_000 })
  await page.locator('progress[value="50"]').waitFor()
  t.match(await page.locator('[data-text="step"]').textContent(), 'lecture des lignes')

  // Somebody types meanwhile: what they write stays.
  await page.locator('form.adds [name=name]').fill('en-cours')
  world.work.show(undefined)
  await bar.waitFor({ state: 'detached' })
  await putCandidate(world.store, aCandidate(now), now)
  await page.locator('.tabs .new').waitFor()
  t.equal(await page.locator('form.adds [name=name]').inputValue(), 'en-cours')
  t.equal(await page.evaluate('window.isSame'), true, 'it is the same page')
  t.strictSame(problems, [])
})

/** What has just moved or appeared takes no click yet. */
async function clickUntil(button: Locator, shown: Locator): Promise<void> {
  for (let i = 0; i < 100 && (await shown.count()) === 0; i++) {
    await button.click({ timeout: 1_000 }).catch(() => undefined)
    await shown.waitFor({ timeout: 300 }).catch(() => undefined)
  }
  await shown.waitFor()
}

t.test('a part that somebody has opened is left alone', async t => {
  const { world, url, browser } = await startWorld(t)
  const now = Date.now()
  await world.user('Claire', 'dsi')
  await putLists(world.store, inForce(now), now)
  const [page] = (await signIn(browser, url, 'claire')).pages()
  if (page === undefined) throw new TypeError('no page')
  await open(page, `${url}/lists`)
  await page.locator('details.confirm summary').click()
  await putLists(world.store, inForce(now, { id: 'v9', previous: null }), now)
  await putCandidate(world.store, aCandidate(now), now)
  await page.locator('.tabs .new').waitFor()
  t.equal(await page.locator('details.confirm[open]').count(), 1)
  await clickUntil(page.locator('.confirm-body button'), page.locator('.notice.problem'))
  t.match(await page.locator('.notice.problem').textContent(), 'Rien n’a été changé')
})

t.test('the strip of the first page tells of an update that comes while it is open', async t => {
  const { world, url, browser } = await startWorld(t)
  const now = Date.now()
  await world.user('Claire', 'dsi')
  await putLists(world.store, inForce(now), now)
  const [page] = (await signIn(browser, url, 'claire')).pages()
  if (page === undefined) throw new TypeError('no page')
  await open(page, `${url}/`)
  t.equal(await page.locator('.strip .notice').count(), 0)
  await putCandidate(world.store, aCandidate(now), now)
  const activate = page.locator('form[action="/lists/activate"] button')
  await clickUntil(page.locator('.strip .notice.wait a'), activate)
  await clickUntil(activate, page.locator('.notice', { hasText: 'est en service' }))
  t.equal(page.url(), `${url}/lists?done=activate`)
  t.match(await page.locator('.notice').textContent(), 'La mise à jour est en service')
})
