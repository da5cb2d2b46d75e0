import t from 'tap'
import type { Locator, Page } from 'playwright-core'
import { openBrowser, violationsOf } from '../support/browser.ts'
import { signIn, startWorld } from './chromium.ts'
import type { World } from './world.ts'

t.setTimeout(120_000)
const browser = await openBrowser(t)

const host = (i: number) => `site-${i}.example` as never

async function openList(
  t: Parameters<typeof startWorld>[0],
  options: { isScripted?: boolean } = {},
) {
  const { world, url } = await startWorld(t, browser)
  await world.user('Claire', 'dsi')
  const signedIn = await signIn(browser, url, 'claire')
  const context = await browser.newContext({
    locale: 'fr-FR',
    viewport: { width: 1280, height: 900 },
    javaScriptEnabled: options.isScripted ?? true,
    storageState: await signedIn.storageState(),
  })
  await signedIn.close()
  t.teardown(() => context.close())
  const page = await context.newPage()
  return { world, url, page }
}

/** Five requests, the newest first, as the list shows them. */
async function askFive(world: World): Promise<string[]> {
  const ids = []
  for (let i = 0; i < 5; i++) ids.unshift(await world.ask({ host: host(i) }))
  return ids
}

async function middleOf(locator: Locator): Promise<[number, number]> {
  const box = await locator.boundingBox()
  if (box === null) throw new TypeError('it is not shown')
  return [box.x + box.width / 2, box.y + box.height / 2]
}

/** Clicks on what is awaited in the very moment it appears, as no test could from outside. */
const clickOnArrival = (page: Page, selector: string): Promise<unknown> =>
  page.evaluate(`new MutationObserver((_, observer) => {
    const found = document.querySelector(${JSON.stringify(selector)})
    if (!found) return
    observer.disconnect()
    const click = { bubbles: true, cancelable: true, detail: 1 }
    found.dispatchEvent(new MouseEvent('click', click))
    window.hasClicked = true
  }).observe(document.body, { childList: true, subtree: true })`)

const topOf = async (row: Locator): Promise<number> => (await row.boundingBox())?.y ?? NaN
const rowOf = (page: Page, id: string | undefined): Locator => page.locator(`#r-${id}`)
const outcomes = (world: World, ids: readonly string[]) =>
  Promise.all(ids.map(async id => (await world.store.get('request', id))?.body.decision?.outcome))

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error('too late')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

for (const isScripted of [true, false]) {
  const how = isScripted ? 'with script' : 'without script'
  t.test(`two clicks at one place decide one request, ${how}`, async t => {
    for (const apartMs of [60, 120, 180, 240, 300]) {
      await t.test(`${apartMs} ms apart`, async t => {
        const { world, url, page } = await openList(t, { isScripted })
        const ids = await askFive(world)
        await page.goto(`${url}/`)
        const [x, y] = await middleOf(rowOf(page, ids[1]).locator('form.approve button'))
        await page.mouse.click(x, y)
        await page.waitForTimeout(apartMs)
        await page.mouse.click(x, y)
        await waitUntil(async () => (await outcomes(world, ids))[1] === 'approved')
        await rowOf(page, ids[1]).locator('[data-undo] button').waitFor()
        await page.waitForTimeout(700)
        t.strictSame(await outcomes(world, ids), [
          undefined,
          'approved',
          undefined,
          undefined,
          undefined,
        ])
        t.equal(await world.store.count('grant'), 1)
      })
    }
  })
}

t.test(
  'a decided row keeps its place and says how; what it offers now takes no second click',
  async t => {
    const { world, url, page } = await openList(t)
    const ids = await askFive(world)
    await page.goto(`${url}/`)
    const places = await Promise.all(ids.map(id => topOf(rowOf(page, id))))
    await rowOf(page, ids[1]).locator('form.approve button').click()
    await rowOf(page, ids[1]).locator('[data-undo] button').waitFor()
    const third = rowOf(page, ids[3])
    await third.locator('summary').click()
    await third.getByRole('button', { name: 'Site commercial' }).click()
    await clickOnArrival(page, `#r-${ids[3]} [data-undo] button`)
    await third.locator('button.danger').click()
    await third.locator('[data-undo] button').waitFor()
    t.match(await rowOf(page, ids[1]).innerText(), /Débloqué[\s\S]*pour le poste 10\.1\.1\.21/)
    t.match(await rowOf(page, ids[3]).innerText(), /Refusé[\s\S]*Site commercial/)
    const after = await Promise.all(ids.slice(0, 4).map(id => topOf(rowOf(page, id))))
    t.strictSame(after, places.slice(0, 4), 'no row has moved')

    const found = await violationsOf(page)
    t.strictSame(
      found
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id }) => id),
      [],
      'axe finds nothing serious in what is decided',
    )

    // The way back was clicked in the moment it appeared: that click was not meant for it.
    await page.waitForFunction('window.hasClicked')
    const undo = third.locator('[data-undo] button')
    t.equal((await outcomes(world, ids))[3], 'refused')
    await page.waitForTimeout(500)
    await undo.click()
    await rowOf(page, ids[3]).locator('form.approve').waitFor()
    t.equal((await outcomes(world, ids))[3], undefined)
  },
)

t.test('arrivals wait while the pointer is on the list, and come in when it has left', async t => {
  const { world, url, page } = await openList(t)
  const ids = await askFive(world)
  await page.goto(`${url}/`)
  const third = rowOf(page, ids[2])
  await page.mouse.move(...(await middleOf(third)))
  const place = await topOf(third)
  const button = page.locator('#waiting button')
  const arrived = [await world.ask({ host: host(10) })]
  await page.getByRole('button', { name: '1 nouvelle demande' }).waitFor()
  arrived.unshift(await world.ask({ host: host(11) }), await world.ask({ host: host(12) }))
  await page.getByRole('button', { name: '3 nouvelles demandes' }).waitFor()
  t.equal(await topOf(third), place, 'nothing moves under the pointer')
  t.equal(await page.locator('h1').innerText(), '8 demandes en attente', 'the number is true')
  t.equal(await page.locator('li.request').count(), 5)

  await page.waitForTimeout(500)
  await button.click()
  await rowOf(page, arrived[0]).waitFor()
  t.equal(await page.locator('li.request').count(), 8)
  const hosts = await page.locator('li.request h2 a').allInnerTexts()
  t.strictSame(hosts.slice(0, 4), [host(12), host(11), host(10), host(4)], 'in their order')
  t.equal(await button.isHidden(), true)

  await page.mouse.move(...(await middleOf(third)))
  const late = await world.ask({ host: host(13) })
  await button.waitFor()
  await page.mouse.move(2, 2)
  await rowOf(page, late).waitFor()
  t.pass('what waits comes in when nobody is at the list')
})

t.test('what has moved under the pointer takes no click for half a second', async t => {
  const { world, url, page } = await openList(t)
  const ids = await askFive(world)
  await page.goto(`${url}/`)
  const target = rowOf(page, ids[2]).locator('form.approve button')
  const [x, y] = await middleOf(target)
  await page.mouse.move(2, 2)
  await world.ask({ host: host(10) })
  await page.locator('li.request').nth(5).waitFor()
  await page.mouse.click(x, y)
  await page.waitForTimeout(600)
  t.strictSame(
    new Set(await outcomes(world, ids)),
    new Set([undefined]),
    'whoever stands there now',
  )
  await page.mouse.click(x, y)
  await page.locator('[data-decided]').waitFor()
  const decided = (await outcomes(world, ids)).filter(outcome => outcome !== undefined)
  t.strictSame(decided, ['approved'], 'once it stands still, it is clicked')
})

t.test(
  'what somebody else decides says by whom, in its place, and goes when nobody is at the list',
  async t => {
    const { world, url, page } = await openList(t)
    const ids = await askFive(world)
    await world.user('Karim', 'dsi')
    const karim = await world.as('Karim')
    await page.goto(`${url}/`)
    const row = rowOf(page, ids[1])
    await page.mouse.move(...(await middleOf(row)))
    await karim.post(`/requests/${ids[1]}/refuse`, { reason: 'Site commercial' })
    await row.locator('.decided-note').waitFor()
    t.match(await row.innerText(), /Refusé[\s\S]*Karim[\s\S]*Site commercial/)
    t.equal(await row.locator('form').count(), 0, 'his decision is not hers to take back')
    await page.mouse.move(2, 2)
    await row.waitFor({ state: 'detached' })
  },
)

t.test(
  'a double click on « Refuser… » opens the choice of the reason, and leaves it open',
  async t => {
    const { world, url, page } = await openList(t)
    const [id] = await askFive(world)
    await page.goto(`${url}/`)
    await rowOf(page, id).locator('summary').dblclick()
    t.equal(await rowOf(page, id).locator('details[open]').count(), 1)
  },
)

t.test(
  'without script the row stays where it was, also on an older page, and can be taken back',
  async t => {
    const { world, url, page } = await openList(t, { isScripted: false })
    for (let i = 0; i < 105; i++) await world.ask({ host: host(i) })
    await page.goto(`${url}/`)
    await page.getByRole('link', { name: 'Voir les demandes plus anciennes' }).click()
    const row = page.locator('li.request').nth(2)
    const id = await row.getAttribute('data-id')
    await row.locator('form.approve button').click()
    await page.locator('[data-decided]').waitFor()
    t.match(page.url(), /\?before=[^&]+&done=[^&]+#r-/)
    t.equal(await page.locator('li.request').nth(2).getAttribute('data-id'), id)
    await page.waitForTimeout(500)
    await page.locator('[data-undo] button').click()
    await page.getByText('est de nouveau en attente').waitFor()
    t.equal(await page.locator('li.request').nth(2).getAttribute('data-id'), id)
    t.strictSame(await outcomes(world, [id ?? '']), [undefined])
  },
)

t.test('the page of a request says that it is seen, and how somebody else decides it', async t => {
  const { world, url, page } = await openList(t)
  const [id] = await askFive(world)
  await world.user('Karim', 'dsi')
  const karim = await world.as('Karim')
  await page.goto(`${url}/requests/${id}`)
  t.notMatch(await page.locator('main').innerText(), 'Pas encore', 'it is being read')
  await karim.post(`/requests/${id}/refuse`, { reason: 'Site commercial' })
  await page.getByText('Refusé par Karim').waitFor()
  t.equal(await page.locator('form[action$="/approve"]').count(), 0, 'nothing is left to decide')
})
