import type { RunOptions } from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t from 'tap'
import { createSetupLink } from '../../src/admin/setup-link.ts'
import { violationsOf } from '../support/browser.ts'
import {
  aBigRehearsal,
  aCandidate,
  aList,
  inForce,
  manyCounts,
  putCandidate,
  putLists,
  putSource,
} from './list-world.ts'
import { signIn, startWorld } from './chromium.ts'
import type { World } from './world.ts'

// Some sixty runs of axe: slow where several suites share two cores.
t.setTimeout(120_000)

const SIZES = [
  { width: 1280, height: 800 },
  { width: 375, height: 740 },
]

interface Asserts {
  strictSame(a: unknown, b: unknown, name: string): unknown
  equal(a: unknown, b: unknown, name: string): unknown
}

t.test(
  'axe finds nothing serious on any page, light or dark, wide or narrow, and nothing overflows',
  async t => {
    const { world, url, browser } = await startWorld(t)
    const link = await createSetupLink(world.store, Date.now())
    const anonymous = ['/sign-in', `/setup?token=${link?.token}`, '/setup?token=dead']
    await visitAll(t, browser, url, anonymous)
    await world.user('Claire', 'dsi')
    await world.user('Élodie', 'reader')
    const state = await (await signIn(browser, url, 'claire')).storageState()
    const lists = ['/lists', '/lists/candidate', '/lists/sources']
    await visitAll(t, browser, url, ['/', ...lists], state)
    await fillLists(world)
    const { pending, decided } = await fill(world)
    const requests = ['/', `/requests/${pending}`, `/requests/${decided}`, '/requests']
    const others = [
      '/local',
      '/explain',
      '/grants',
      '/policy',
      '/audit',
      '/users',
      '/account',
      '/nope',
    ]
    await Promise.all([
      visitAll(t, browser, url, lists, state),
      visitAll(t, browser, url, requests, state),
      visitAll(t, browser, url, others, state),
    ])
  },
)

async function fill(world: World): Promise<{ pending: string; decided: string }> {
  const claire = await world.as('Claire')
  const long = 'tres-long-nom-de-domaine-qui-ne-tient-pas-sur-un-telephone.exemple-de-ville.example'
  await world.ask({ host: 'interdit.example' as never, category: 'adult' })
  await world.ask({ host: long as never, url: `https://x.example/${'chemin-'.repeat(40)}` })
  const decided = await world.ask({ host: 'refuse.example' as never })
  await claire.post(`/requests/${decided}/refuse`, { reason: 'Site commercial' })
  const approved = await world.ask({ host: 'ouvert.example' as never })
  await claire.post(`/requests/${approved}/approve`, { scope: 'site', duration: 'forever' })
  await world.grant({ origin: 'acknowledged' })
  return { pending: await world.ask({ category: 'shopping' }), decided }
}

/** Everything at once: work goes on, a source fails, an update waits in which everything moves, an index is damaged. */
async function fillLists({ store, work }: World): Promise<void> {
  const now = Date.now()
  const long = `https://listes.example/${'chemin-'.repeat(30)}`
  const failure = { since: now, at: now, times: 2, code: 'PREAU_DOWNLOAD_FAILED' }
  const status = { nextAt: now, failure: { ...failure, params: { url: long, detail: '404' } } }
  await putLists(store, inForce(now, { lists: [aList('ut1', now, { counts: manyCounts() })] }), now)
  await putCandidate(store, aCandidate(now, { rehearsal: aBigRehearsal() }), now)
  await putSource(store, { name: 'longue', url: long, format: 'lines', category: 'games' }, status)
  await putSource(store, { name: 'coupee', enabled: false })
  const alarm = { kind: 'index-damaged', subject: 'v2.index', detail: 'CRC', at: now } as const
  await store.commit({ by: 'system', action: 'alarm', at: now }, [
    { kind: 'alarm', id: 'index-damaged:v2.index', body: alarm },
  ])
  work.show({ list: 'ut1', phase: 'read', done: 5e6, total: 3e7, startedAt: now, by: 'Claire' })
}

async function visitAll(
  t: Asserts,
  browser: Browser,
  url: string,
  paths: readonly string[],
  storageState?: Awaited<ReturnType<BrowserContext['storageState']>>,
): Promise<void> {
  // Colours in transition have no contrast to speak of.
  const options = { locale: 'fr-FR', reducedMotion: 'reduce' } as const
  const context = await browser.newContext({ ...options, ...(storageState && { storageState }) })
  const page = await context.newPage()
  for (const path of paths) {
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(url + path)
    await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    for (const size of SIZES) {
      await page.setViewportSize(size)
      await page.emulateMedia({ colorScheme: 'light' })
      const name = `${path} ${size.width}`
      t.strictSame(await findings(page, {}), [], `${name} light`)
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.equal(overflow, 0, `${name} does not overflow`)
      await page.emulateMedia({ colorScheme: 'dark' })
      t.strictSame(await findings(page, { runOnly: ['color-contrast'] }), [], `${name} dark`)
    }
  }
  await context.close()
}

/** The serious and critical findings of axe. */
async function findings(page: Page, options: RunOptions): Promise<string[]> {
  return (await violationsOf(page, options))
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${JSON.stringify(nodes[0]?.target)} ${nodes[0]?.failureSummary}`,
    )
}
