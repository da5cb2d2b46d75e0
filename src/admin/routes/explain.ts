/** Why a site is open or closed for a PC: the checks in order, the city's rules, and the lines of the lists. */
import type { FastifyInstance } from 'fastify'
import { explainHost } from '../../categories/lists.ts'
import type { ListMatch } from '../../categories/lists.ts'
import { isAddress, parseHost, parseTyped, type Host, type Target } from '../../policy/host.ts'
import { ANY_SCHOOL, anyClient, type Client } from '../../policy/network.ts'
import type { PolicyDocument } from '../../policy/policy-document.ts'
import { opensPort } from '../../policy/ports.ts'
import type { Profile } from '../../policy/profile.ts'
import { explain, type Answer } from '../../policy/verdict.ts'
import { sayHours, sayMoment } from '../../spoken-hours.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { sayEffect, sayWhere } from '../rule-view.ts'
import { showForm } from '../shown-form.ts'
import { adminTexts, isAdminText } from '../texts.ts'
import type { Wording } from '../wording.ts'

const MAX_URL = 2_000

export function explainRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/explain', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(deps.store)
    const words = wordingFor(request, deps, policy)
    const typed = {
      host: queryText(request.query, 'host', MAX_URL) ?? '',
      ip: queryText(request.query, 'ip', 60) ?? '',
    }
    const target = typed.host === '' ? undefined : parseTyped(typed.host)
    const ip = typed.ip === '' ? undefined : parseHost(typed.ip)
    const isBadIp = typed.ip !== '' && (ip === undefined || !isAddress(ip))
    const faults = new Map<string, string>()
    if (typed.host !== '' && target === undefined) faults.set('host', words.t('explain.bad'))
    if (isBadIp) faults.set('ip', words.t('explain.badIp'))
    const answer =
      target === undefined || isBadIp
        ? undefined
        : await examine(deps, { target, ip, words, policy })
    const page = { view: 'explain', title: words.t('explain.title'), nav: 'nav.local' } as const
    return renderPage(
      request,
      reply,
      deps,
      { ...page, data: { form: showForm(typed, faults), answer } },
      policy,
    )
  })
}

interface Question {
  readonly target: Target
  /** undefined: a PC of whichever school. */
  readonly ip: Host | undefined
  readonly words: Wording
  readonly policy: PolicyDocument | undefined
}

async function examine(
  { current, clock, catalogue, config }: RouteDeps,
  { target, ip, words, policy }: Question,
) {
  const { snapshot, lists } = current
  const now = clock()
  const client = ip === undefined ? anyClient(snapshot.networks) : snapshot.networks(ip)
  const profile = snapshot.profiles.get(client.profile)
  const answers = explain(snapshot, client, target, now)
  const deciding = answers.find(({ verdict }) => verdict !== undefined)
  const { host, path } = target
  const page = path === undefined ? {} : { path }
  const matches = await explainHost({ dataDir: config.dataDir, ...lists, host, ...page })
  const labelOf = (id: string | undefined): string =>
    catalogue.get(id ?? '')?.label[words.locale] ?? id ?? ''
  const { t } = words
  const context = { words, catalogue, policy }
  return {
    host: target.host,
    sentence: t(`explain.${deciding?.verdict?.action ?? 'allow'}`, { host: target.host }),
    action: deciding?.verdict?.action ?? 'allow',
    place: placeOf(client, words),
    profile: profile?.label[words.locale] ?? client.profile,
    ip: ip ?? '',
    portClosed: opensPort(config.proxy, target)
      ? ''
      : t('explain.portClosed', { port: target.port }),
    closed: deciding?.check === 'closed-hours' ? sayClosed(profile, now, words) : '',
    checks: answers.map(answer => viewAnswer(answer, answer === deciding, words, labelOf)),
    rules: snapshot.rules
      .about(target.host, client, now)
      .map(rule => ({ ...rule, effect: sayEffect(rule, context), where: sayWhere(rule, words) })),
    matches: matches.map(match => ({
      ...match,
      category: labelOf(match.category),
      what: kindOf(match, words),
      since: words.moment(match.since),
      contentAt: words.moment(match.contentAt ?? match.importedAt),
    })),
    correction: correctionOf(
      matches.filter(({ list, kind }) => list === 'ut1' && kind === 'domains'),
      policy?.city.name ?? '',
    ),
  }
}

function placeOf({ site, siteName, room }: Client, { t }: Wording): string {
  if (site === ANY_SCHOOL) return t('explain.anySchool')
  return room === '' ? t('explain.unknown') : `${siteName}, ${room}`
}

/** The hours that have closed it, and when it opens next. */
function sayClosed(profile: Profile | undefined, now: number, words: Wording): string {
  const { t, locale, timeZone } = words
  const { opensAt } = profile?.openingAt(now) ?? {}
  if (opensAt === undefined) return t('explain.neverOpens')
  const hours = sayHours(profile?.hours ?? [], locale).join(' · ')
  return t('explain.opens', { hours, when: sayMoment(opensAt, now, timeZone, locale) })
}

/** What is listed when it is not the site. */
function kindOf({ kind, acts }: ListMatch, { t }: Wording): string {
  if (kind === 'domains') return ''
  if (kind === 'urls') return t('explain.isPage')
  return t(acts ? 'explain.isExpression' : 'explain.isExpressionOff')
}

function viewAnswer(
  { check, verdict }: Answer,
  decides: boolean,
  { t }: Wording,
  labelOf: (id: string | undefined) => string,
) {
  const key = `reason.${check}`
  const category =
    verdict !== undefined && verdict.action !== 'allow' ? verdict.category : undefined
  return {
    name: isAdminText(key) ? t(key) : check,
    decides,
    action: verdict?.action,
    category: category === undefined ? '' : labelOf(category),
  }
}

/** In French whatever the page speaks: the university reads it. Undefined when there is nothing to correct. */
function correctionOf(matches: readonly ListMatch[], city: string): string | undefined {
  const [first] = matches
  if (first === undefined) return undefined
  const t = adminTexts('fr')
  const lines = matches
    .map(({ category, line, text }) => t('explain.textLine', { category, line, text }))
    .join('\n')
  const { contentAt, importedAt } = first
  const day = new Intl.DateTimeFormat('fr-FR', { dateStyle: 'long' })
  const version =
    contentAt === undefined
      ? t('explain.textRead', { date: day.format(importedAt) })
      : t('explain.textOf', { date: day.format(contentAt) })
  return t('explain.text', { host: first.domain, lines, version, city })
}
