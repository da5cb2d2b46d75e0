/** Work on the lists as a progress bar shows it: which step, how far, for whom. */
import type { WorkState } from './deps.ts'
import { listLabel } from './list-wording.ts'
import type { Moment, Wording } from './wording.ts'

const PHASES = ['download', 'read', 'index', 'compare'] as const satisfies WorkState['phase'][]

export interface WorkView {
  readonly title: string
  readonly step: string
  /** « 120 Mo sur 340 Mo »; empty where nothing is counted yet. */
  readonly amount: string
  readonly by: string
  readonly startedAt: Moment
  /** Whole percent; undefined where the end is not known. */
  readonly percent: number | undefined
}

export function viewWork(state: WorkState | undefined, words: Wording): WorkView | undefined {
  if (state === undefined) return undefined
  const { t } = words
  const { phase, done, total } = state
  const size = { done: megabytes(done, words), total: megabytes(total ?? 0, words) }
  const isKnown = total !== undefined && total > 0
  return {
    title: t('work.title', { list: listLabel(state.list, words) }),
    step: t('work.step', {
      step: PHASES.indexOf(phase) + 1,
      steps: PHASES.length,
      phase: t(`work.${phase}`),
    }),
    amount: isKnown ? t('work.of', size) : done > 0 ? t('work.done', size) : '',
    by: words.by(state.by),
    startedAt: words.moment(state.startedAt),
    percent: isKnown ? Math.max(0, Math.min(100, Math.round((100 * done) / total))) : undefined,
  }
}

function megabytes(bytes: number, words: Wording): string {
  const size = bytes / 1e6
  return words.number(size < 10 ? Math.round(size * 10) / 10 : Math.round(size))
}
