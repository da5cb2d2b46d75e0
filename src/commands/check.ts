/** `preau check HOST`: every check in order with its answer, and the category, list and line that decided. */
import { explainHost, type ListMatch } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled, type Installed } from '../install.ts'
import type { Catalogue, CategorySet } from '../policy/category.ts'
import { isForTls, tunnelOpener } from '../policy/content.ts'
import { isAddress, parseHost, parseTyped, type Host, type Target } from '../policy/host.ts'
import { ANY_SCHOOL, anyClient, type Client } from '../policy/network.ts'
import { opensPort } from '../policy/ports.ts'
import { Question } from '../policy/question.ts'
import type { Hours, Opening } from '../policy/schedule.ts'
import { explain, type Answer, type Verdict } from '../policy/verdict.ts'
import { bringTexts } from '../shared-lists/bring.ts'
import { openSnapshot } from '../snapshot/open.ts'
import { StateReader } from '../snapshot/state-reader.ts'
import { sayHours, sayMoment } from '../spoken-hours.ts'
import { printable, shorten, table, type CliKey, type Terminal } from './terminal.ts'

export interface CheckArguments {
  readonly host: string
  /** undefined: a PC of whichever school, by the strictest profile. */
  readonly ip: string | undefined
  readonly json: boolean
}

interface Report {
  readonly target: Target
  readonly client: Client
  /** Those of the host and, over plain HTTP, of the page, as the city's rules correct them. */
  readonly categories: CategorySet
  readonly answers: readonly Answer[]
  readonly verdict: Verdict
  readonly matches: readonly ListMatch[]
  /** Whether a tunnel to it may carry something other than TLS, and by what; absent where that is no question. */
  readonly tunnel?: Tunnel
  /** Where the opening hours decide: what they are, and when it opens next. */
  readonly closed?: Closed
  /** The proxy refuses its port before any check. */
  readonly isPortClosed: boolean
  /** The index in force is damaged: the lists before decide here, as in the proxy. */
  readonly isIndexDamaged: boolean
}

interface Tunnel {
  readonly carries: 'tls' | 'any'
  readonly by?: 'profile' | 'rule'
  /** That of the rule. */
  readonly host?: Host
}

interface Closed {
  readonly hours: Hours
  /** Epoch ms; absent: it does not open. */
  readonly opensAt?: number
  readonly timeZone: string
  /** Epoch ms. */
  readonly now: number
}

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
  const ip = args.ip === undefined ? undefined : parseHost(args.ip)
  if (args.ip !== undefined && (ip === undefined || !isAddress(ip))) {
    throw new PreauError('PREAU_USAGE', {
      detail: terminal.t('badAddress', { address: printable(args.ip) }),
    })
  }
  return withInstalled(config, async installed => {
    const report = await examine(config, installed, target, ip)
    if (args.json) terminal.printJson(report)
    else printReport(report, installed.catalogue, terminal)
    return report.verdict.action === 'allow' && !report.isPortClosed
  })
}

async function examine(
  config: Config,
  { store, catalogue }: Installed,
  target: Target,
  ip: Host | undefined,
): Promise<Report> {
  const { dataDir } = config
  const { state } = await new StateReader(store, Date.now).read()
  await bringTexts({ dataDir, files: store.files }, state.lists.body)
  const { snapshot, lists } = await openSnapshot(
    { config, catalogue },
    { policy: state.policy.body, lists: state.lists.body, grants: state.grants },
  )
  const client = ip === undefined ? anyClient(snapshot.networks) : snapshot.networks(ip)
  const now = Date.now()
  const answers = explain(snapshot, client, target, now)
  const verdict = answers.find(answer => answer.verdict !== undefined)?.verdict
  if (verdict === undefined) throw new TypeError('the last check always answers')
  const { host, path } = target
  const page = path === undefined ? {} : { path }
  const matches = await explainHost({ dataDir, ...lists, host, ...page })
  const { categories } = new Question(snapshot, client, target, now)
  const isIndexDamaged = lists.damage !== undefined
  const profile = snapshot.profiles.get(client.profile)
  const isClosed = verdict.reason === 'closed-hours' && profile !== undefined
  const { timeZone } = snapshot.city
  const closed = isClosed && {
    closed: { hours: profile.hours ?? [], ...opensAtOf(profile.openingAt(now)), timeZone, now },
  }
  const isPortClosed = !opensPort(config.proxy, target)
  const found = {
    target,
    client,
    categories,
    answers,
    verdict,
    matches,
    isPortClosed,
    isIndexDamaged,
  }
  const tunnel = verdict.action === 'allow' &&
    isForTls(target) && { tunnel: tunnelOf(tunnelOpener(snapshot, client, target, now)) }
  return { ...found, ...closed, ...tunnel }
}

function tunnelOf(opens: ReturnType<typeof tunnelOpener>): Tunnel {
  if (opens === undefined) return { carries: 'tls' }
  if (opens === 'profile') return { carries: 'any', by: 'profile' }
  return { carries: 'any', by: 'rule', host: opens.host }
}

const opensAtOf = ({ opensAt }: Opening): Pick<Opening, 'opensAt'> =>
  opensAt === undefined ? {} : { opensAt }

const MARK = { allow: '✓', warn: '!', block: '✗' } as const
const COLOUR = { allow: 'green', warn: 'yellow', block: 'red' } as const

function printReport(report: Report, catalogue: Catalogue, terminal: Terminal): void {
  const { target, client, categories, answers, verdict, matches } = report
  const { closed, tunnel, isPortClosed, isIndexDamaged } = report
  const { t, paint, print, locale } = terminal
  const label = (id: string): string => `${catalogue.get(id)?.label[locale] ?? id} (${id})`
  const place =
    client.room === '' ? t('check.unknownNetwork') : printable(`${client.siteName}, ${client.room}`)
  print(paint('bold', `${target.host}:${target.port}`))
  const pc = client.site === ANY_SCHOOL ? t('check.anySchool') : `${client.ip} · ${place}`
  print(`${t('check.client')} ${pc} · ${t('check.profile')} ${client.profile}`)
  if (isIndexDamaged) print(paint('yellow', `! ${t('check.indexDamaged')}`))
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
  if (isPortClosed) print(paint('red', `✗ ${t('check.portClosed', { port: target.port })}`))
  if (closed !== undefined) print(`  ${sayClosed(closed, terminal)}`)
  if (tunnel !== undefined) print(`  ${sayTunnel(tunnel, client, terminal)}`)
  for (const match of matches.filter(m => category === undefined || m.category === category)) {
    const { list, line } = match
    const date = new Date(match.since).toISOString().slice(0, 10)
    const file = printable(shorten(match.file))
    const where = t('check.line', { list, file, line, text: printable(match.text), date })
    const mark = match.acts ? '' : ` (${t('check.expressionOff')})`
    print(`  ${label(match.category)} — ${where}${mark}`)
  }
}

function sayTunnel(
  { by, host = '' as Host }: Tunnel,
  { profile }: Client,
  { t }: Terminal,
): string {
  if (by === undefined) return t('check.tunnelTls')
  return by === 'profile' ? t('check.tunnelProfile', { profile }) : t('check.tunnelRule', { host })
}

function sayClosed({ hours, opensAt, timeZone, now }: Closed, { t, locale }: Terminal): string {
  if (opensAt === undefined) return t('check.neverOpens')
  const when = sayMoment(opensAt, now, timeZone, locale)
  return t('check.opens', { hours: sayHours(hours, locale).join(' · '), when })
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
