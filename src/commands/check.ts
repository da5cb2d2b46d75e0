/** `preau check HOST`: every check in order with its answer, and the category, list and line that decided. */
import { openCategoryIndex } from '../categories/index/category-index.ts'
import { explainHost, indexFile, type ListMatch } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { createAddressJudge, parseCidr } from '../policy/address.ts'
import type { Catalogue } from '../policy/category.ts'
import { CURRENT } from '../policy/document.ts'
import { isAddress, parseHost, parseTyped, type Host, type Target } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import { buildSnapshot, type Snapshot } from '../policy/snapshot.ts'
import { explain, type Answer, type Verdict } from '../policy/verdict.ts'
import { bringTexts } from '../shared-lists/bring.ts'
import type { Store } from '../store/store.ts'
import { printable, shorten, table, type CliKey, type Terminal } from './terminal.ts'

export interface CheckArguments {
  readonly host: string
  readonly ip: string
  readonly json: boolean
}

interface Report {
  readonly target: Target
  readonly client: Client
  readonly categories: readonly string[]
  readonly answers: readonly Answer[]
  readonly verdict: Verdict
  readonly matches: readonly ListMatch[]
}

const MAX_GRANTS = 100_000

/** Answers whether the host is allowed. */
export async function check(
  config: Config,
  terminal: Terminal,
  args: CheckArguments,
): Promise<boolean> {
  const target = parseTyped(args.host)
  if (target === undefined)
    throw new PreauError('PREAU_USAGE', {
      detail: terminal.t('badHost', { host: printable(args.host) }),
    })
  const ip = parseHost(args.ip)
  if (ip === undefined || !isAddress(ip)) {
    throw new PreauError('PREAU_USAGE', {
      detail: terminal.t('badAddress', { address: printable(args.ip) }),
    })
  }
  return withInstalled(config, async ({ store, catalogue }) => {
    const report = await examine(config, store, catalogue, target, ip)
    if (args.json) terminal.printJson(report)
    else printReport(report, catalogue, terminal)
    return report.verdict.action === 'allow'
  })
}

async function examine(
  config: Config,
  store: Store,
  catalogue: Catalogue,
  target: Target,
  ip: Host,
): Promise<Report> {
  const [policy, lists, grants] = await Promise.all([
    store.get('policy', CURRENT),
    store.get('lists', CURRENT),
    store.list('grant', { facet: 'active', limit: MAX_GRANTS }),
  ])
  if (policy === undefined || lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
  await bringTexts({ dataDir: config.dataDir, files: store.files }, lists.body)
  const index = await openCategoryIndex(indexFile(config.dataDir, lists.body), { cacheEntries: 0 })
  const snapshot: Snapshot = buildSnapshot({
    policy: policy.body,
    grants: grants.map(({ body }) => body),
    catalogue,
    categories: index.lookup,
    pages: index.pages,
    hints: index.hints,
    addresses: createAddressJudge(config.dial.allow.flatMap(text => parseCidr(text) ?? [])),
  })
  const client = snapshot.networks(ip)
  const answers = explain(snapshot, client, target, Date.now())
  const verdict = answers.find(answer => answer.verdict !== undefined)?.verdict
  if (verdict === undefined) throw new TypeError('the last check always answers')
  const matches = await explainHost({
    dataDir: config.dataDir,
    version: lists.body,
    index,
    host: target.host,
    ...(target.path === undefined ? {} : { path: target.path }),
  })
  return { target, client, categories: snapshot.categories(target.host), answers, verdict, matches }
}

const MARK = { allow: '✓', warn: '!', block: '✗' } as const
const COLOUR = { allow: 'green', warn: 'yellow', block: 'red' } as const

function printReport(
  { target, client, categories, answers, verdict, matches }: Report,
  catalogue: Catalogue,
  terminal: Terminal,
): void {
  const { t, paint, print, locale } = terminal
  const label = (id: string): string => `${catalogue.get(id)?.label[locale] ?? id} (${id})`
  const place =
    client.room === '' ? t('check.unknownNetwork') : printable(`${client.siteName}, ${client.room}`)
  print(paint('bold', `${target.host}:${target.port}`))
  print(`${t('check.client')} ${client.ip} · ${place} · ${t('check.profile')} ${client.profile}`)
  print(`${t('check.categories')} : ${categories.map(label).join(', ') || t('check.none')}`)
  print('')
  const deciding = answers.find(answer => answer.verdict !== undefined)
  const rows = answers.map(answer => rowOf(answer, answer === deciding, terminal))
  for (const row of table(rows)) print(`  ${row}`)
  print('')
  const category = verdict.action === 'allow' ? undefined : verdict.category
  const why = category === undefined ? '' : ` : ${label(category)}`
  print(
    paint(COLOUR[verdict.action], `${MARK[verdict.action]} ${t(`check.${verdict.action}`)}${why}`),
  )
  for (const match of matches.filter(m => category === undefined || m.category === category)) {
    const { list, line } = match
    const date = new Date(match.since).toISOString().slice(0, 10)
    const file = printable(shorten(match.file))
    print(
      `  ${label(match.category)} — ${t('check.line', { list, file, line, text: printable(match.text), date })}`,
    )
  }
}

function rowOf({ check: id, verdict }: Answer, decides: boolean, { t, paint }: Terminal): string[] {
  const name = t(`check.${id}` as CliKey)
  if (verdict === undefined) return [' ', name, t('check.noMatch')]
  const answer = t(`check.${verdict.action}`)
  return decides
    ? [
        MARK[verdict.action],
        name,
        paint(COLOUR[verdict.action], `${answer}  ← ${t('check.decides')}`),
      ]
    : [' ', name, answer]
}
