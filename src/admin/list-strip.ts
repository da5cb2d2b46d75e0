/** The strip of the first page: how old each list is, and what somebody should look at. */
import { STARTER_NAME } from '../categories/starter.ts'
import type { ListAge, ListStanding } from '../policy/list-age.ts'
import type { ListState } from './list-state.ts'
import { listLabel, sayFailure } from './list-wording.ts'
import type { Moment, Wording } from './wording.ts'

export interface StripWarning {
  /** `wait`: a decision is asked for; `problem`: something is wrong. */
  readonly kind: 'wait' | 'problem'
  readonly text: string
  /** Where something can be done about it in this app, and what the link does. */
  readonly href?: string
  readonly action?: string
}

export interface Strip {
  readonly items: readonly {
    readonly label: string
    /** `shipped`: the starter lists, which come with Préau and age with it. */
    readonly state: ListAge | 'shipped'
    readonly when: Moment | undefined
  }[]
  /** Nothing but the starter lists, and no source: a city has use for more. */
  readonly isBare: boolean
  readonly warnings: readonly StripWarning[]
}

/** `others`: what has to be looked at first. */
export function viewStrip(
  state: ListState,
  words: Wording,
  others: readonly StripWarning[] = [],
): Strip {
  const received = state.standings.filter(({ name }) => name !== STARTER_NAME)
  const shown = received.length > 0 ? received : state.standings
  return {
    items: shown.map(({ name, ...standing }) => ({
      label: listLabel(name, words),
      state: name === STARTER_NAME ? 'shipped' : standing.isFetched ? standing.state : 'manual',
      when: momentOf(standing.checkedAt ?? standing.importedAt, words),
    })),
    isBare: received.length === 0 && state.sources.length === 0,
    warnings: [
      ...others,
      ...waiting(state, words),
      ...alarming(state, words),
      ...state.standings.flatMap(standing => silent(standing, state, words)),
    ],
  }
}

const momentOf = (at: number | undefined, words: Wording): Moment | undefined =>
  at === undefined ? undefined : words.moment(at)

function waiting({ candidate }: ListState, words: Wording): StripWarning[] {
  if (candidate === undefined) return []
  const { t } = words
  const { list, version } = candidate.body
  const params = { list: listLabel(list, words), ago: words.moment(version.builtAt).ago }
  const text = t('strip.waits', params)
  return [{ kind: 'wait', text, href: '/lists/candidate', action: t('strip.seeCandidate') }]
}

function alarming({ alarms }: ListState, words: Wording): StripWarning[] {
  const { t } = words
  return alarms.map(({ kind, subject, machine = '', at }) => {
    const text = t(`alarm.${kind}`, { subject, machine, ago: words.moment(at).ago })
    return { kind: 'problem', text, href: '/lists', action: t('strip.seeLists') }
  })
}

function silent(
  { name, state, checkedAt, importedAt, isFetched }: ListStanding,
  { statuses }: ListState,
  words: Wording,
): StripWarning[] {
  if (state !== 'old' && state !== 'failing') return []
  const { t } = words
  const failure = statuses.get(name)?.failure
  const since = checkedAt ?? failure?.since
  const list = listLabel(name, words)
  if (!isFetched) {
    const text = t('strip.unfetched', { list, ago: momentOf(importedAt, words)?.ago ?? '?' })
    return [{ kind: 'problem', text, href: '/lists/sources', action: t('strip.seeSources') }]
  }
  const cause = failure === undefined ? t('strip.silent') : asSentence(sayFailure(failure, words))
  const text =
    state === 'old'
      ? t('strip.old', { list, ago: since === undefined ? '?' : words.moment(since).ago, cause })
      : t('strip.failing', { list, cause })
  return [{ kind: 'problem', text, href: '/lists/sources', action: t('strip.seeSources') }]
}

const asSentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`)
