/** The page « Règles »: the form, what it asks once more, and the rules with what each of them really does. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseHost } from '../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import { judgeRules, type RuleStanding } from '../policy/rule-standing.ts'
import { civilDate } from '../policy/schedule.ts'
import type { RouteDeps } from './deps.ts'
import { queryText } from './form.ts'
import { ACTIONS } from './local-form.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from './page.ts'
import { grantsForRules, type Doubts } from './rule-doubts.ts'
import { sayEffect, sayWhere, sayWinners, viewRule, type RuleContext } from './rule-view.ts'
import { searchFor } from './search.ts'
import { showForm, type ShownForm } from './shown-form.ts'
import { isAdminText } from './texts.ts'

const MAX_ROWS = 300
const MAX_SITES = 1_000

export interface LocalPage {
  readonly notice?: Notice | undefined
  /** The form as it was sent; fresh when it is not given. */
  readonly form?: ShownForm
  readonly doubts?: Doubts
}

export async function showLocal(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { notice, form, doubts }: LocalPage = {},
): Promise<FastifyReply> {
  const { store, catalogue, clock } = deps
  const policy = await readPolicy(store)
  const words = wordingFor(request, deps, policy)
  const context = { words, catalogue, policy }
  const filter = queryText(request.query, 'q') ?? ''
  const all = policy?.rules ?? []
  const found = filter === '' ? all : all.filter(shownAs(filter, context))
  const shown = found.slice(0, MAX_ROWS)
  const done = doneIn(request, all)
  const judge = await judgeFor([...shown, ...done.rules], policy, deps)
  const data = {
    rows: shown.map(rule => viewRule(rule, judge(rule), context)),
    filter,
    count: all.length,
    found: found.length,
    max: MAX_ROWS,
    form: form ?? showForm(request.method === 'GET' ? request.query : {}),
    doubts,
    actions: ACTIONS.map(id => ({ id, label: words.t(chooseKey(id)) })),
    today: civilDate(clock(), words.timeZone),
    categories: [...catalogue.values()].map(({ id, label }) => ({
      id,
      label: label[words.locale],
    })),
    sites: (policy?.sites ?? []).slice(0, MAX_SITES).map(({ uai, name }) => ({ uai, name })),
  }
  const page = { view: 'local', title: words.t('local.title'), nav: 'nav.local' } as const
  const told = notice ?? sayDone(done, judge, context)
  return renderPage(request, reply, deps, { ...page, notice: told, data }, policy)
}

const chooseKey = (action: LocalRule['action']) =>
  `local.choose.${action}` as const satisfies `local.choose.${LocalRule['action']}`

const NOTHING: RuleStanding = { acts: 'nowhere', winners: [] }

async function judgeFor(
  rules: readonly LocalRule[],
  policy: PolicyDocument | undefined,
  deps: RouteDeps,
): Promise<(rule: LocalRule) => RuleStanding> {
  if (policy === undefined || rules.length === 0) return () => NOTHING
  const grants = await grantsForRules(rules, deps)
  const { snapshot } = deps.current
  return judgeRules({ policy, snapshot, grants, now: deps.clock() }, rules)
}

interface Done {
  readonly kind?: 'added' | 'removed'
  readonly host: string
  /** The rule that was added, as it stands. */
  readonly rules: readonly LocalRule[]
}

function doneIn({ query }: FastifyRequest, rules: readonly LocalRule[]): Done {
  for (const kind of ['added', 'removed'] as const) {
    // A host or nothing: a link must not put a sentence of its own on our page.
    const host = parseHost(queryText(query, kind, 253) ?? '')
    if (host === undefined) continue
    const rule = kind === 'added' ? rules.find(other => other.host === host) : undefined
    return { kind, host, rules: rule === undefined ? [] : [rule] }
  }
  return { host: '', rules: [] }
}

function sayDone(
  { kind, host, rules: [rule] }: Done,
  judge: (rule: LocalRule) => RuleStanding,
  context: RuleContext,
): Notice | undefined {
  const { t } = context.words
  if (kind === undefined) return undefined
  if (kind === 'removed') return { kind: 'done', text: t('local.removed', { host }) }
  if (rule === undefined) return undefined
  const { acts, winners } = judge(rule)
  if (acts === 'everywhere') return { kind: 'done', text: t('local.done', { host }) }
  const why = sayWinners(winners, context)
  const key = why === '' ? 'local.doneEnded' : 'local.doneIdle'
  const said = `local.acts.${acts}`
  return { kind: 'done', text: t(key, { host, acts: isAdminText(said) ? t(said) : acts, why }) }
}

/** Finds rules by what their rows show: « ouvert », the name of a school, a note. */
function shownAs(filter: string, context: RuleContext): (rule: LocalRule) => boolean {
  const isFound = searchFor(filter)
  return rule => {
    const { host, reason, note, by, until } = rule
    const shown = [sayEffect(rule, context), sayWhere(rule, context.words)]
    return isFound([host, ...shown, reason, note, by, until])
  }
}
