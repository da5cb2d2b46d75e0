/** In a real browser: whatever a pupil, a list, a policy or a reason put in the store is text on every page, and runs nowhere. */
import type { Page } from 'playwright-core'
import t from 'tap'
import type { PolicyDocument } from '../../src/policy/policy-document.ts'
import { signIn, startWorld } from '../admin/chromium.ts'
import { POLICY, type World } from '../admin/world.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { PortalWorld } from '../portal/portal-world.ts'
import { openBrowser } from '../support/browser.ts'

/** Each would set `window.hacked` where it ran. */
const ATTACKS = [
  '<script>window.hacked=1</script>',
  '"><img src=x onerror=window.hacked=1>',
  "' autofocus onfocus=window.hacked=1 x='",
  '</title><svg onload=window.hacked=1>',
  '</textarea></template><iframe srcdoc="<script>parent.hacked=1</script>">',
  '<a href="javascript:window.hacked=1" id=keys>x</a><base href=//evil.example/>',
  '<meta http-equiv=refresh content="0;url=javascript:window.hacked=1">',
  '{{constructor.constructor("window.hacked=1")()}}<%= window.hacked=1 %>${window.hacked=1}',
]
const ALL = ATTACKS.join(' ')

/** Counts what the content policy had to stop: it is the second wall, the first one must hold alone. */
function watch(page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('dialog', dialog => void dialog.dismiss())
  page.on('console', message => {
    if (/Content Security Policy|Refused/.test(message.text())) problems.push(message.text())
  })
  return problems
}

async function fill(world: World): Promise<string> {
  const policy: PolicyDocument = {
    ...POLICY,
    city: { ...POLICY.city, name: ALL, contact: ALL },
    profiles: POLICY.profiles.map(profile => ({ ...profile, label: { fr: ALL, en: ALL } })),
    sites: POLICY.sites.map(site => ({
      ...site,
      name: ALL,
      rooms: site.rooms.map(room => ({ ...room, name: ALL })),
    })),
    rules: [{ host: 'lumni.fr' as never, action: 'block', reason: ALL, by: ALL }],
  }
  await world.store.commit({ by: ALL, action: ALL, subject: ALL, detail: { a: ALL }, at: 1 }, [
    { kind: 'policy', id: CURRENT, body: policy },
    { kind: 'user', id: 'evil', body: { name: ALL, role: 'reader', password: 'x', at: 1 } },
    {
      kind: 'source',
      id: 'evil',
      body: {
        name: 'evil',
        url: `https://x/${ALL}`,
        format: 'auto',
        category: null,
        enabled: true,
        by: ALL,
        at: 1,
      },
    },
  ])
  const wish = {
    url: `https://jeux.example/${ALL}`,
    siteName: ALL,
    category: ALL,
    askers: [[ALL, ALL, 1]],
  } as const
  const refused = await world.ask(wish)
  const row = await world.store.get('request', refused)
  if (row === undefined) throw new TypeError('no request')
  const decision = { outcome: 'refused', by: ALL, at: 1, reason: ALL } as const
  await world.store.commit({ by: ALL, action: 'request.refuse', subject: ALL, at: 1 }, [
    { kind: 'request', id: refused, body: { ...row.body, decision } },
  ])
  await world.grant({ by: ALL, host: ALL as never, scope: { kind: 'room', site: ALL, room: ALL } })
  return world.ask({ ...wish, host: 'autre.example' as never })
}

t.test('on the pages of the DSI', async t => {
  const { world, url, browser } = await startWorld(t)
  await world.user('Claire', 'dsi')
  const context = await signIn(browser, url, 'claire')
  const [page] = context.pages()
  if (page === undefined) throw new TypeError('no page')
  const problems = watch(page)
  const id = await fill(world)
  // It came while the list was open: our script has put it there.
  await page.locator(`#r-${id}`).waitFor()
  t.match(await page.locator(`#r-${id}`).textContent(), '<script>window.hacked=1</script>')
  const query = encodeURIComponent(ALL)
  const paths = [
    '/',
    '/requests',
    `/requests/${id}`,
    '/grants',
    '/policy',
    '/local',
    `/local?q=${query}&host=${query}&added=${query}`,
    `/explain?host=${query}&ip=${query}`,
    '/explain?host=lumni.fr',
    '/lists',
    '/lists/sources',
    '/audit',
    `/audit?q=${query}`,
    '/users',
    '/account',
    `/${query}`,
  ]
  for (const path of paths) {
    await page.goto(url + path)
    t.equal(await page.evaluate('window.hacked'), undefined, path.slice(0, 40))
    const planted =
      'iframe, base, [onload], [onerror], [onfocus], a[href^="javascript:"], svg[onload]'
    t.equal(await page.locator(planted).count(), 0, `${path.slice(0, 40)}: no element was planted`)
  }
  t.strictSame(problems, [], 'nothing for the content policy to stop')
  await context.close()
})

t.test('on the block page, as the reason of the DSI comes live', async t => {
  const world = await PortalWorld.open(t)
  const browser = await openBrowser(t, { proxy: `http://127.0.0.1:${world.portal.port}` })
  const page = await browser.newPage({ locale: 'fr-FR' })
  const problems = watch(page)
  await page.goto(
    `http://jeux.example/${encodeURIComponent(ALL)}?q=${encodeURIComponent(ALL)}#${ALL}`,
  )
  await page.getByRole('button', { name: 'Demander le déblocage' }).click()
  await page.getByText('Demande envoyée').waitFor()
  await world.refuse(ALL)
  await page.getByText('La DSI n’a pas accepté').waitFor()
  t.match(await page.locator('#state').textContent(), '<script>window.hacked=1</script>')
  await page.reload()
  t.match(await page.locator('#state').textContent(), '<script>window.hacked=1</script>')
  t.equal(await page.locator('iframe, base, [onload], [onerror], [onfocus]').count(), 0)
  t.equal(await page.evaluate('window.hacked'), undefined)
  t.strictSame(problems, [])
})
