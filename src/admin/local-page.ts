/** The page « Règles »: the form, what it asks once more, and the rules with what each of them really does. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ruleKey } from '../policy/edit-rules.ts'
import { parseHost } from '../policy/host.ts'
import type { LocalRule, PolicyDocument } from '../policy/policy-document.ts'
import { removedId } from '../policy/removed.ts'
import { judgeRules, type RuleStanding } from '../policy/rule-standing.ts'
import { civilDate } from '../policy/schedule.ts'
import { choicesIn, placeOf, type ActPlace, type ListPlace } from './act-place.ts'
import type { RouteDeps } from './deps.ts'
import { queryText } from './form.ts'
import { ACTIONS } from './local-form.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from './page.ts'
import { paged } from './paging.ts'
import { grantsForRules, type Doubts } from './rule-doubts.ts'
import { sayEffect, sayWhere, sayWinners, viewRule, type RuleContext } from './rule-view.ts'
import { searchFor } from './search.ts'
import { showForm, type ShownForm } from './shown-form.ts'
import { isAdminText } from './texts.ts'
import { leftMs } from './undo.ts'
import type { Wording } from './wording.ts'

const CHOICES = ['q', 'page'] as const
export const RULE_LIST: ListPlace = { path: '/local', names: CHOICES, anchor: 'l-' }
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
  const choices = choicesIn(request.query, CHOICES)
  const place = placeOf(request, choices, clock())
  const all = policy?.rules ?? []
  const removed = await justRemoved(request, deps, place.act)
  const filter = choices.q ?? ''
  const found = filter === '' ? all : all.filter(shownAs(filter, context))
  // What was just removed keeps its place: behind as many rules as before.
  const ahead = new Set(all.slice(0, removed?.index ?? 0))
  const before = found.filter(rule => ahead.has(rule)).length
  const rows = removed === undefined ? found : found.toSpliced(before, 0, removed.rule)
  const list = paged(rows, choices.page, { q: filter })
  const done = doneIn(request, all)
  const judge = await judgeFor([...list.rows, ...done.rules], policy, deps)
  const data = {
    list: {
      ...list,
      rows: list.rows.map(rule => ({
        ...viewRule(rule, judge(rule), context),
        undoLeftMs: rule === removed?.rule ? removed.leftMs : 0,
      })),
    },
    place,
    filter,
    count: all.length,
    found: found.length,
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
  const told = notice ?? sayAct(place.act, all, removed, words) ?? sayDone(done, judge, context)
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

interface JustRemoved {
  readonly rule: LocalRule
  readonly index: number
  readonly leftMs: number
}

/** The rule that the reader has removed on this very page, as long as it can be put back. */
async function justRemoved(
  { who }: FastifyRequest,
  { store, clock }: RouteDeps,
  act: ActPlace['act'],
): Promise<JustRemoved | undefined> {
  if (act?.name !== 'done') return undefined
  const removed = (await store.get('removed', removedId('rule', act.id)))?.body
  if (removed?.kind !== 'rule') return undefined
  const left = leftMs(removed, who?.user.name ?? '', clock())
  return left === 0 ? undefined : { rule: removed.rule, index: removed.index, leftMs: left }
}

function sayAct(
  act: ActPlace['act'],
  rules: readonly LocalRule[],
  removed: JustRemoved | undefined,
  { t }: Wording,
): Notice | undefined {
  const back = act?.name === 'undone' ? rules.find(rule => ruleKey(rule) === act.id) : undefined
  if (back !== undefined) return { kind: 'done', text: t('local.restored', { host: back.host }) }
  if (removed === undefined) return undefined
  return { kind: 'done', text: t('local.removed', { host: removed.rule.host }) }
}

interface Done {
  readonly host: string
  /** The rule that was added, as it stands. */
  readonly rules: readonly LocalRule[]
}

function doneIn({ query }: FastifyRequest, rules: readonly LocalRule[]): Done {
  // A host or nothing: a link must not put a sentence of its own on our page.
  const host = parseHost(queryText(query, 'added', 253) ?? '')
  const rule = host && rules.find(other => other.host === host)
  return { host: host ?? '', rules: rule ? [rule] : [] }
}

function sayDone(
  { host, rules: [rule] }: Done,
  judge: (rule: LocalRule) => RuleStanding,
  context: RuleContext,
): Notice | undefined {
  const { t } = context.words
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
