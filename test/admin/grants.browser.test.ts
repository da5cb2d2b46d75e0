import t from 'tap'
import { openBrowser } from '../support/browser.ts'
import { signIn, startWorld } from './chromium.ts'

t.setTimeout(120_000)
const browser = await openBrowser(t)

async function openGrants(t: Parameters<typeof startWorld>[0], isScripted: boolean) {
  const { world, url } = await startWorld(t, browser)
  await world.user('Claire', 'dsi')
  const signedIn = await signIn(browser, url, 'claire')
  const context = await browser.newContext({
    locale: 'fr-FR',
    viewport: { width: 1280, height: 900 },
    javaScriptEnabled: isScripted,
    storageState: await signedIn.storageState(),
  })
  await signedIn.close()
  t.teardown(() => context.close())
  return { world, url, page: await context.newPage() }
}

for (const isScripted of [true, false]) {
  const how = isScripted ? 'with script' : 'without script'
  t.test(`an access is closed in its place, and opened again from there, ${how}`, async t => {
    const { world, url, page } = await openGrants(t, isScripted)
    const ids: string[] = []
    for (let i = 0; i < 226; i++)
      ids.unshift(await world.grant({ host: `site-${i}.example` as never }))
    await page.goto(`${url}/grants`)
    t.equal(await page.locator('tbody tr').count(), 50)
    await page.getByRole('link', { name: 'Page suivante' }).click()
    await page.getByText('Page 2 sur 5 · 51 à 100 sur 226').waitFor()
    const row = page.locator(`#g-${ids[80]}`)
    await row.scrollIntoViewIfNeeded()
    const before = await row.boundingBox()
    const button = await row.getByRole('button').boundingBox()
    const [x, y] = [(button?.x ?? 0) + 20, (button?.y ?? 0) + 10]
    await page.mouse.click(x, y)
    await page.waitForTimeout(150)
    await page.mouse.click(x, y)
    await row.getByText('Fermé').waitFor()
    t.not((await world.store.get('grant', ids[80] ?? ''))?.body.endedAt, undefined)
    const after = await row.boundingBox()
    if (isScripted) t.equal(after?.y, before?.y, 'nothing has moved')
    else t.ok(after !== null && after.y >= 0 && after.y < 900, 'the row is in sight')
    if (isScripted) {
      t.match(await page.locator('#said').textContent(), 'L’accès à site-145.example est fermé.')
      t.equal(await page.evaluate("document.activeElement.closest('tr')?.id"), `g-${ids[80]}`)
    }
    t.match(page.url(), 'page=2')

    await page.waitForTimeout(600)
    await row.getByRole('button', { name: 'Rouvrir' }).click()
    await row.getByRole('button', { name: 'Révoquer' }).waitFor()
    t.equal((await world.store.get('grant', ids[80] ?? ''))?.body.endedAt, undefined)
    t.match((await world.store.tail({ limit: 1 }))[0], { action: 'grant.restore', by: 'Claire' })
    t.equal(await world.store.count('grant', 'active'), 226, 'and no other one was closed')
  })
}

t.test('accesses are found by site, place and person, and chosen by whom and how long', async t => {
  const { world, url, page } = await openGrants(t, true)
  for (let i = 0; i < 60; i++) await world.grant({ host: `site-${i}.example` as never })
  await world.grant({ host: 'echecs.example' as never, scope: { kind: 'city' }, until: null })
  await world.grant({
    host: 'lecture.example' as never,
    scope: { kind: 'room', site: '0590003C', room: 'BCD' },
    by: 'Élodie',
  })
  await page.goto(`${url}/grants`)
  const search = async (text: string) => {
    await page.getByRole('searchbox').fill(text)
    await page.getByRole('button', { name: 'Filtrer' }).click()
    await page.waitForLoadState()
    return page.locator('tbody tr b').allInnerTexts()
  }
  t.strictSame(await search('echecs'), ['echecs.example'])
  t.strictSame(await search('tilleuls bcd'), ['lecture.example'], 'school and room, in any order')
  t.strictSame(await search('elodie'), ['lecture.example'], 'whatever the accents')
  t.strictSame(await search('nulle part'), [])
  await page.getByText('Rien ne correspond').waitFor()
  await page.getByRole('link', { name: 'Tout montrer' }).click()
  await page.getByLabel('Jusqu’à quand').selectOption('forever')
  t.strictSame(await search(''), ['echecs.example'])
  t.match(await page.locator('p.hint').innerText(), '1 sur 62')
})
