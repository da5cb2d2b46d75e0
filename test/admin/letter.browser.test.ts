/** The letter to whoever keeps a list, in a real browser: all of it is there to be read and copied. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { importList } from '../../src/categories/lists.ts'
import { loadConfig } from '../../src/config.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { openBrowser, violationsOf } from '../support/browser.ts'
import { signIn } from './chromium.ts'
import { openWorld, POLICY } from './world.ts'

t.test('the whole letter is on the page, wide and narrow, and one button copies it', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'preau-letter-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  writeFileSync(join(dataDir, 'games.txt'), 'jeux.example\n')
  const catalogue = loadCatalogue()
  const now = Date.now()
  const request = { dataDir, current: undefined, catalogue, now, name: 'ut1', category: 'games' }
  const { version: lists } = await importList({ ...request, path: `${dataDir}/games.txt` })
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  const opened = await openSnapshot({ config, catalogue }, { policy: POLICY, lists, grants: [] })
  const current = { ...opened, onSwap: () => () => undefined }
  const world = await openWorld(t, { dataDir, catalogue, current, realClock: true })
  await world.user('Claire', 'dsi')
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  const context = await signIn(await openBrowser(t), url, 'claire')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const [page] = context.pages()
  if (page === undefined) throw new TypeError('no page')
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 })
    await page.goto(`${url}/explain?host=jeux.example`)
    const hidden = await page.evaluate(`(() => {
      const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.getElementById('letter')
      return [scrollHeight - clientHeight, scrollWidth - clientWidth]
    })()`)
    t.same(hidden, [0, 0], `nothing of it is cut at ${width} px`)
    t.match(await page.locator('#letter').textContent(), /Merci,\nVille de Saint-Aubin$/)
    await page.getByRole('button', { name: 'Copier' }).press('Enter')
    await page.getByRole('status').filter({ hasText: 'Copié' }).waitFor()
    const copied = await page.evaluate('navigator.clipboard.readText()')
    t.equal(copied, await page.locator('#letter').textContent())
    t.same(
      (await violationsOf(page)).map(({ id }) => id),
      [],
    )
  }
  await page.evaluate('Clipboard.prototype.writeText = () => Promise.reject(new Error())')
  await page.getByRole('button', { name: 'Copier' }).click()
  await page.getByRole('status').filter({ hasText: 'Ctrl+C' }).waitFor()
  t.match(await page.evaluate('String(getSelection())'), 'Ville de Saint-Aubin')
})
