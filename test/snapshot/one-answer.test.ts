/**
 * One question, one answer: the running proxy, `preau check`, « Expliquer » of the panel and the rehearsal of an update are
 * asked about every kind of entry that decides: before an update, after it, and once its index is damaged.
 */
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { AccessLogEntry } from '../../src/access-log/access-log.ts'
import { indexFile } from '../../src/categories/lists.ts'
import { check } from '../../src/commands/check.ts'
import type { Terminal } from '../../src/commands/terminal.ts'
import { loadConfig, type Config } from '../../src/config.ts'
import { accessLogDir, install } from '../../src/install.ts'
import { startProxy } from '../../src/main/proxy-process.ts'
import type { Catalogue } from '../../src/policy/category.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { activate } from '../../src/policy/lists.ts'
import { parsePolicy } from '../../src/policy/policy-document.ts'
import type { SeenChange } from '../../src/policy/rehearsal.ts'
import type { Answer, Verdict } from '../../src/policy/verdict.ts'
import { followSnapshot } from '../../src/snapshot/follower.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { updateList } from '../../src/updates/update-list.ts'
import fr from '../../views/locales/admin.fr.json' with { type: 'json' }
import { openWorld as openAdmin } from '../admin/world.ts'
import { eventually } from '../support/proxy-world.ts'
import { AFTER, BEFORE, CASES, GRANTS, PC, POLICY, type Case } from './every-kind.ts'

const logger = pino({ level: 'silent' })
const clock = Date.now
const note = { by: 'test', action: 'test', at: 0 }

interface City {
  readonly config: Config
  readonly store: Store
  readonly catalogue: Catalogue
  /** Where all names lead. */
  readonly originPort: number
}

async function openCity(t: Test): Promise<City> {
  const dir = t.testdir()
  mkdirSync(dir, { recursive: true })
  const names = CASES.map(({ ask }) => new URL(ask).hostname).filter(name => /[a-z]/.test(name))
  const configuration = {
    dataDir: 'data',
    proxy: { connectPorts: [443, '1024-65535'] },
    dial: {
      hosts: Object.fromEntries(names.map(name => [name, '127.0.0.1'])),
      allow: ['127.0.0.1/32'],
    },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(configuration))
  const config = loadConfig(join(dir, 'config.json'), {})
  const { store, catalogue } = await install(config, clock)
  const { version: expects = 'absent' } = (await store.get('policy', CURRENT)) ?? {}
  const body = parsePolicy(POLICY, catalogue)
  await store.commit(note, [
    { kind: 'policy', id: CURRENT, expects, body },
    ...GRANTS.map(grant => ({ kind: 'grant' as const, id: grant.id, body: grant })),
  ])
  const origin = createServer((_request, response) => response.end('ok'))
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    origin.closeAllConnections()
    origin.close()
    await store.close()
  })
  const { port: originPort } = origin.address() as AddressInfo
  return { config, store, catalogue, originPort }
}

function update(
  { config, store, catalogue }: City,
  files: Record<string, readonly string[]>,
  mode: 'activate' | 'hold',
) {
  const path = join(config.dataDir, '..', 'tree')
  for (const [name, lines] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true })
    writeFileSync(join(path, name), `${lines.join('\n')}\n`)
  }
  const what = { path, source: 'tree', name: 'ut1', by: 'cli', mode }
  return updateList({ store, config, catalogue, clock }, what)
}

const urlOf = ({ ask }: Case, { originPort }: City): URL => {
  const url = new URL(ask)
  url.port ||= String(originPort)
  return url
}
const pcOf = ({ from = 'pupil' }: Case): string => PC[from]

/** What is said of a case: the action, and the check that decided. */
type Said = readonly [action: string, check: string]
type Ask = (asked: Case) => Promise<Said>

/** The proxy tells its verdict in the access log, whatever comes of the connection. */
async function openProxy(t: Test, city: City): Promise<Ask> {
  const proxy = await startProxy(city.config, logger, { host: '127.0.0.1', port: 0 })
  t.teardown(() => proxy.stop(0))
  const folder = accessLogDir(city.config)
  const entries = (): AccessLogEntry[] =>
    readdirSync(folder).flatMap(name =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(line => line.endsWith('}'))
        .map(line => JSON.parse(line) as AccessLogEntry),
    )
  return async asked => {
    const url = urlOf(asked, city)
    const isTunnel = url.protocol === 'https:'
    const sent = request({
      host: '127.0.0.1',
      port: proxy.address.port,
      localAddress: pcOf(asked),
      agent: false,
      method: isTunnel ? 'CONNECT' : 'GET',
      path: isTunnel ? url.host : url.href,
      headers: { host: url.host },
    })
    sent.on('connect', (_response, socket) => socket.destroy())
    sent.on('response', response => response.resume())
    sent.on('error', () => undefined)
    const told = (): AccessLogEntry[] =>
      entries().filter(
        ({ ip, method, host }) =>
          ip === pcOf(asked) && host === url.hostname && (method === 'CONNECT') === isTunnel,
      )
    const count = told().length
    sent.end()
    await eventually(() => told().length > count)
    const { verdict = '', reason = '' } = told().at(-1) ?? {}
    return [verdict, reason === asked.reason ? asked.is[1] : reason]
  }
}

function command(city: City): Ask {
  return async asked => {
    let printed: unknown
    const terminal = { printJson: (value: unknown) => (printed = value) } as unknown as Terminal
    const args = { host: urlOf(asked, city).href, ip: pcOf(asked), json: true }
    await check(city.config, terminal, args)
    const { answers, verdict } = printed as { answers: Answer[]; verdict: Verdict }
    const deciding = answers.find(answer => answer.verdict !== undefined)
    return [verdict.action, deciding?.check ?? '']
  }
}

const ACTION = { open: 'allow', waiting: 'warn', refused: 'block' } as const

async function openPanel(t: Test, { config, catalogue, ...rest }: City): Promise<Ask> {
  const store = await openStore(config)
  const current = await followSnapshot({ store, config, catalogue, clock, logger })
  t.teardown(() => current.close())
  const { dataDir } = config
  const world = await openAdmin(t, { store, catalogue, current, dataDir, realClock: true })
  await world.user('claire', 'dsi')
  const browser = await world.as('claire')
  return async asked => {
    const host = urlOf(asked, { config, catalogue, ...rest }).href
    const query = new URLSearchParams({ host, ip: pcOf(asked) }).toString()
    const { body } = await browser.get(`/explain?${query}`)
    const [, state = ''] = /<h2 class="break"><span class="state (\w+)">/.exec(body) ?? []
    const [, name = ''] = /<li class="decides"[^>]*>([^<]+?)(?: —|<)/.exec(body) ?? []
    const [key = ''] =
      Object.entries(fr).find(([id, text]) => id.startsWith('reason.') && text === name) ?? []
    return [ACTION[state as keyof typeof ACTION] ?? state, key.slice('reason.'.length)]
  }
}

interface Asked {
  readonly proxy: Ask
  readonly command: Ask
  readonly panel: Ask
}

const openAll = async (t: Test, city: City): Promise<Asked> => ({
  proxy: await openProxy(t, city),
  command: command(city),
  panel: await openPanel(t, city),
})

async function allSay(t: Test, asked: Asked, rightOf: (one: Case) => Said): Promise<void> {
  for (const [who, ask] of Object.entries(asked)) {
    const answers = await Promise.all(CASES.map(ask))
    for (const [i, one] of CASES.entries()) t.same(answers[i], rightOf(one), `${who}: ${one.kind}`)
  }
}

const RANK: Record<string, number> = { allow: 0, warn: 1, block: 2 }

/** What the rehearsal must say of a case: nothing where nothing changes. */
function effectOf({ is, was = is }: Case): SeenChange['effect'] | undefined {
  const [before = 0, after = 0] = [RANK[was[0]], RANK[is[0]]]
  if (after === before) return undefined
  return after < before ? 'opens' : is[0] === 'warn' ? 'warns' : 'closes'
}

t.test('command, panel, proxy and rehearsal answer alike about every kind of entry', async t => {
  const city = await openCity(t)
  const { config, store } = city
  await update(city, BEFORE, 'activate')
  const asked = await openAll(t, city)
  const before = ({ is, was = is }: Case): Said => was
  await t.test('before an update', t => allSay(t, asked, before))

  const { rehearsal } = await update(city, AFTER, 'hold')
  await t.test('the rehearsal tells what the update will do', async t => {
    for (const one of CASES) {
      const { hostname } = urlOf(one, city)
      const found = rehearsal?.seen.find(({ host }) => host === hostname)
      const expected = CASES.filter(other => urlOf(other, city).hostname === hostname)
        .filter(other => other.isUnseen === undefined)
        .map(effectOf)
        .filter(effect => effect !== undefined)
      t.equal(found?.effect, expected[0], `rehearsal: ${one.kind}`)
    }
  })

  const lists = await store.get('lists', CURRENT)
  const candidate = await store.get('candidate', CURRENT)
  if (lists === undefined || candidate === undefined) throw new TypeError('nothing waits')
  const body = activate(lists.body, candidate.body, 'claire', clock())
  await store.commit(note, [
    { kind: 'lists', id: CURRENT, expects: lists.version, body },
    { kind: 'candidate', id: CURRENT, expects: candidate.version, body: null },
  ])
  const [first] = CASES.filter(({ was }) => was !== undefined)
  if (first === undefined) throw new TypeError('nothing changes')
  for (const ask of [asked.proxy, asked.panel]) {
    const until = Date.now() + 30_000
    while ((await ask(first))[0] !== first.is[0] && Date.now() < until);
  }
  await t.test('after the update', t => allSay(t, asked, ({ is }) => is))

  truncateSync(indexFile(config.dataDir, body), 100)
  await t.test('once its index is damaged the lists before decide, everywhere', async t =>
    allSay(t, await openAll(t, city), before),
  )
})
