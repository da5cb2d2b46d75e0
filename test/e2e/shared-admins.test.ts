/**
 * Two admin processes on one store, as behind a load balancer of the city: the requests of one browser go to one and the
 * other in turn, and nobody notices.
 */
import t, { type Test } from 'tap'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Host } from '../../src/policy/host.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { ask } from '../admin/world.ts'
import { AdminClient, type Page } from '../support/admin-client.ts'
import { startBalancer } from '../support/balancer.ts'
import { runProgram, startProduct, type Product } from '../support/product.ts'
import { startRedis } from '../support/redis.ts'

const PASSWORD = 'une phrase assez longue'
const OTHER_PASSWORD = 'une autre phrase assez longue'
const ADMIN = { port: 0, trustedProxies: ['127.0.0.1'] }
const JSON_ONLY = { accept: 'application/json' }

interface Both {
  readonly first: Product
  readonly second: Product
  readonly store: Store
  /** Starts one more, in place of one that was stopped. */
  readonly startAgain: () => Promise<Product>
}

/** The site leads nowhere: where it is allowed, nobody answers. */
const SITE = 'www.jeux.fr'

/** Two whole installations on one store: on SQLite in one data folder, else each in its own, as on two machines. */
async function startTwo(t: Test, address: string): Promise<Both> {
  const names = [SITE]
  const config = { admin: ADMIN, store: address }
  const first = await startProduct(t, { names, config })
  const { dataDir } = first
  const startAgain = () =>
    address === 'sqlite'
      ? startProduct(t, { names, config: { ...config, dataDir } })
      : startProduct(t, { names, config, dir: newMachine(t, dataDir) })
  const second = await startAgain()
  const store = await openStore({ store: address, dataDir })
  t.teardown(() => store.close())
  return { first, second, store, startAgain }
}

/** The folder of one more machine of a city: what the README has people copy is the certificate, nothing else. */
function newMachine(t: Test, dataDir: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'preau-test-'))
  cpSync(join(dataDir, 'ca'), join(dir, 'data/ca'), { recursive: true })
  // Teardowns run from the last to the first: Préau has ended by then.
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** From a PC of its own: one that clicks again at once is not written twice. */
const click = ({ proxyUrl }: Product, host: string, from: string) => {
  const source = ['--interface', from, '-x', proxyUrl]
  return runProgram('curl', ['-sS', ...source, '-d', '', `http://${host}/.preau/unblock`])
}

/** Whether a PC is let through, within half a minute. */
async function opensAt({ proxyUrl }: Product, host: string): Promise<boolean> {
  const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '-x', proxyUrl, `http://${host}/`]
  const until = performance.now() + 30_000
  while (performance.now() < until) {
    const { stdout } = await runProgram('curl', args)
    if (stdout === '502') return true
    await elapsed(50)
  }
  return false
}

async function journey(t: Test, { first, second }: Both): Promise<void> {
  const balancer = await startBalancer(t, [first.adminUrl, second.adminUrl])
  const browser = new AdminClient(balancer.url)

  // The link of either screen creates the first account; here that of the machine started first.
  const setup = new URL(first.setupUrl ?? '')
  await browser.get(setup.pathname + setup.search)
  const form = { token: setup.searchParams.get('token') ?? '', name: 'Claire' }
  const made = await browser.post('/setup', { ...form, password: PASSWORD, repeat: PASSWORD })
  t.equal(made.status, 303, 'the link is shown by one process and used on the other')
  const late = new URL(second.setupUrl ?? '')
  t.equal((await browser.get(late.pathname + late.search)).status, 410, 'the other link is dead')

  const pages = ['/', '/requests', '/grants', '/policy', '/lists', '/audit', '/users', '/account']
  for (const path of [...pages, ...pages]) t.equal((await browser.get(path)).status, 200, path)
  await browser.get('/')
  t.equal((await browser.post('/sign-out')).status, 303)
  t.equal((await browser.get('/')).location, '/sign-in')
  t.equal((await browser.signIn('Claire', PASSWORD)).status, 303)

  // One stream from each process; a click at either proxy moves the pages of both.
  const streams = [await browser.events(), await browser.events()]
  t.strictSame(
    streams.map(({ status }) => status),
    [200, 200],
  )
  const moved = (): Promise<unknown> => Promise.all(streams.map(stream => stream.next('changed')))
  for (const [product, pc] of [
    [first, '127.0.0.1'],
    [second, '127.0.0.2'],
  ] as const) {
    const told = moved()
    await click(product, SITE, pc)
    await told
  }
  const list = await browser.get('/')
  const id = /id="r-([\w-]+)"/.exec(list.body)?.[1] ?? ''
  t.match(list.body, SITE)

  const decided = moved()
  const approved = await browser.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })
  t.equal(approved.location, `/?done=${id}#r-${id}`)
  await decided
  const told = await browser.get(`/?done=${id}`)
  t.match(told.body, /id="r-[^>]*data-decided/, 'the other process says what was done')
  t.match(told.body, `/requests/${id}/undo`, 'and offers to undo it')
  const undone = await browser.post(`/requests/${id}/undo`, {}, JSON_ONLY)
  t.match(JSON.parse(undone.body), { text: /de nouveau en attente/ })
  t.match((await browser.get('/')).body, `id="r-${id}"`)
  for (const stream of streams) stream.close()
  await browser.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })
  for (const product of [first, second]) t.ok(await opensAt(product, SITE), 'it opens at both')

  // Signed out on one, signed out on both, whoever has a copy of the cookies.
  const thief = browser.clone()
  t.equal((await browser.post('/sign-out')).status, 303)
  for (const url of [first.adminUrl, second.adminUrl])
    t.equal((await thief.clone(url).get('/')).location, '/sign-in')
  t.ok(balancer.served.every((place, i) => place === i % 2))
}

async function changePassword(t: Test, { first, second }: Both): Promise<void> {
  const urls = [first.adminUrl, second.adminUrl] as const
  const [desk, home] = [new AdminClient(urls[0]), new AdminClient(urls[1])]
  for (const browser of [desk, home]) await browser.signIn('Claire', PASSWORD)
  await desk.get('/account')
  const form = { current: PASSWORD, password: OTHER_PASSWORD }
  t.equal((await desk.post('/account', form)).location, '/account?done=1')
  const role = { name: 'Karim', role: 'dsi', password: PASSWORD }
  t.equal((await desk.post('/users', role)).status, 403, 'nor is a form from before')
  await desk.get('/users')
  t.equal((await desk.post('/users', role)).location, '/users?done=add')
  t.equal((await desk.clone(urls[1]).get('/')).status, 200, 'the fresh session counts everywhere')
  for (const url of urls) t.equal((await home.clone(url).get('/')).location, '/sign-in')
}

async function guess(t: Test, { first, second, startAgain }: Both): Promise<void> {
  const urls = [first.adminUrl, second.adminUrl] as const
  const from = (url: string, address: string) => async (password: string) => {
    const browser = new AdminClient(url)
    await browser.get('/sign-in')
    const form = { name: 'Karim', password }
    return browser.post('/sign-in', form, { 'x-forwarded-for': address })
  }
  const guesses = await Promise.all(
    Array.from({ length: 40 }, (_, i) => from(urls[i % 2] ?? '', '10.66.0.1')('x')),
  )
  const count = (status: number) => guesses.filter(page => page.status === status).length
  t.strictSame([count(401), count(429)], [5, 35])
  const locked = (page: Page) => /Réessayez dans (\d+) min/.exec(page.body)?.[1]
  t.equal(locked(await from(urls[1], '10.66.0.1')(PASSWORD)), '15')
  t.equal((await from(urls[1], '10.1.0.7')(PASSWORD)).status, 303, 'from elsewhere it opens')
  await second.stop()
  const again = await startAgain()
  const after = await from(again.adminUrl, '10.66.0.1')(PASSWORD)
  t.equal(after.status, 429)
  t.ok(Number(locked(after)) >= 1)
  await again.stop()
}

const ROUNDS = 100

async function race(t: Test, { first, second, store }: Both): Promise<void> {
  const claire = new AdminClient(first.adminUrl)
  const karim = new AdminClient(second.adminUrl)
  await claire.signIn('Claire', OTHER_PASSWORD)
  await karim.signIn('Karim', PASSWORD)
  const wins = { Claire: 0, Karim: 0 }
  const grants = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const id = await ask(store, Date.now(), { host: `site-${round}.example` as Host })
    const isRefusal = round % 3 === 0
    const approval = { scope: 'pc', duration: 'hour' }
    const language = { 'accept-language': round % 2 ? 'en' : 'fr', ...JSON_ONLY }
    const pages = await Promise.all([
      claire.post(`/requests/${id}/approve`, approval, language),
      isRefusal
        ? karim.post(`/requests/${id}/refuse`, { reason: 'Site commercial' }, language)
        : karim.post(`/requests/${id}/approve`, approval, language),
    ])
    const decision = (await store.get('request', id))?.body.decision
    const winner = decision?.by === 'Claire' ? 'Claire' : 'Karim'
    wins[winner]++
    const [won, lost] = winner === 'Claire' ? pages : pages.toReversed()
    if (won?.status !== 200 || lost?.status !== 409) {
      t.fail(`round ${round}: ${won?.status} ${won?.body} / ${lost?.status} ${lost?.body}`)
      continue
    }
    const told = round % 2 ? `already decided by ${winner}` : `déjà été traitée par ${winner}`
    if (!lost.body.includes(told)) t.fail(`round ${round}: ${lost.body}`)
    if (decision?.outcome === 'approved') grants.add(decision.grant)
  }
  t.comment(`measured: of ${ROUNDS} races Claire won ${wins.Claire}, Karim ${wins.Karim}`)
  const stored = (await store.list('grant', { facet: 'active' }))
    .filter(({ body }) => body.host.startsWith('site-'))
    .map(({ id }) => id)
  t.strictSame(new Set(stored), grants, 'each approval has its grant, and there is no other')
  const entries = await store.tail({ limit: 1_000 })
  const decisions = entries
    .filter(({ action }) => action === 'request.approve' || action === 'request.refuse')
    .filter(({ subject }) => subject?.startsWith('site-'))
  t.equal(decisions.length, ROUNDS, 'one audit entry each')
  t.equal(new Set(decisions.map(({ subject }) => subject)).size, ROUNDS)

  const late = await karim.post(`/requests/${await decidedBy(claire, store)}/refuse`, {
    reason: 'trop tard',
  })
  t.equal(late.status, 409)
  t.match(late.body, /déjà été traitée par Claire : débloquée, le \d+ \S+ à \d\d:\d\d/, 'as a page')
}

async function decidedBy(browser: AdminClient, store: Parameters<typeof ask>[0]): Promise<string> {
  const id = await ask(store, Date.now(), { host: 'last.example' as Host })
  await browser.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' })
  return id
}

async function all(t: Test, address: string): Promise<void> {
  const both = await startTwo(t, address)
  await t.test('the whole journey of a browser whose requests alternate', t => journey(t, both))
  await t.test('a changed password ends the sessions on both', t => changePassword(t, both))
  await t.test('of two who decide at once one wins', t => race(t, both))
  await t.test('guesses on both are counted together, and a restart forgets none', t =>
    guess(t, both),
  )
}

t.test('two admin processes on one SQLite file', t => all(t, 'sqlite'))
t.test('two admin processes on one Redis', async t => all(t, (await startRedis(t)).url))
