import t from 'tap'
import { signIn, startWorld } from './chromium.ts'

t.test(
  'by keyboard alone: sign in, see a request come, say it was seen, open it, take it back',
  async t => {
    const { world, url, browser } = await startWorld(t)
    await world.user('Claire', 'dsi')
    const context = await signIn(browser, url, 'claire')
    const [page] = context.pages()
    if (page === undefined) throw new TypeError('no page')
    const problems: string[] = []
    page.on('console', message => message.type() === 'error' && problems.push(message.text()))
    page.on('pageerror', error => problems.push(String(error)))

    t.equal(await page.locator('h1').textContent(), 'Aucune demande en attente')
    const other = await world.ask({
      host: 'autre.example' as never,
      askers: [['10.1.2.8', 'Salle 2', 5]],
    })
    await page.locator(`#r-${other}`).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('r')
    await page.keyboard.type('Jeu sans')
    const id = await world.ask()
    await page.getByRole('button', { name: '1 nouvelle demande' }).waitFor()
    t.equal(await page.locator(`#r-${id}`).count(), 0, 'it waits: somebody is at the list')
    await page.waitForFunction("document.title.startsWith('(2)')")
    t.equal(await page.title(), '(2) Demandes en attente · Préau')
    t.match(await page.locator('#arrivals').textContent(), 'jeux.example')
    t.equal(await page.evaluate('document.activeElement.name'), 'reason', 'the focus stays')
    await page.keyboard.type(' lien avec un cours')
    t.equal(
      await page.locator(`#r-${other} [name=reason]`).inputValue(),
      'Jeu sans lien avec un cours',
    )
    await page.keyboard.press('Enter')
    await page.locator(`#r-${other}[data-decided]`).waitFor()
    const decision = (await world.store.get('request', other))?.body.decision
    t.match(decision, { outcome: 'refused', reason: 'Jeu sans lien avec un cours' })

    t.equal(
      await page.evaluate('document.activeElement.id'),
      `r-${other}`,
      'the row keeps its place and the focus',
    )
    await page.keyboard.press('n')
    await page.locator(`#r-${id}`).waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), `r-${id}`, 'the focus goes there')
    await waitUntil(async () => (await world.store.get('request', id))?.body.seenAt !== undefined)
    t.pass('what was displayed is marked as seen')
    await page.keyboard.press('a')
    await page.keyboard.press('a')
    await page.locator(`#r-${id}[data-decided]`).waitFor()
    t.equal((await world.store.get('request', id))?.body.decision?.outcome, 'approved')
    t.equal(await world.store.count('grant'), 1, 'a key pressed twice decides once')
    t.match(await page.locator('#said').textContent(), 'jeux.example est débloqué')
    await page.keyboard.press('u')
    await page.locator(`#r-${id}:not([data-decided])`).waitFor()
    t.equal((await world.store.get('request', id))?.body.decision, undefined)
    t.match((await world.store.list('grant'))[0]?.body, { endedBy: 'Claire' })
    await page.keyboard.press('?')
    t.equal(await page.locator('#keys').isVisible(), true)
    t.strictSame(problems, [], 'nothing in the console')
  },
)

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5_000
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error('too late')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
