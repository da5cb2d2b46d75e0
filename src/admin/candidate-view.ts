/** An update that waits, as a page shows it: why it waits, and what it would change for whom. */
import type { CandidateDocument } from '../policy/lists.ts'
import type { Catalogue } from '../policy/category.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import type { CategoryChange, SeenChange } from '../policy/rehearsal.ts'
import { categoryLabel, listLabel, profileLabels, sayHold } from './list-wording.ts'
import { viewRemarks } from './list-view.ts'
import type { Wording } from './wording.ts'

export interface CandidateContext {
  readonly catalogue: Catalogue
  readonly policy: PolicyDocument | undefined
  readonly words: Wording
  /** The id of the version in force. */
  readonly inForce: string | undefined
}

export function viewCandidate(candidate: CandidateDocument, context: CandidateContext) {
  const { words, catalogue, inForce } = context
  const { version, rehearsal, list, by, base, holds } = candidate
  return {
    id: version.id,
    list: listLabel(list, words),
    by: words.by(by),
    builtAt: words.moment(version.builtAt),
    hosts: words.number(version.hosts),
    isStale: base !== inForce,
    remarks: version.lists
      .filter(({ name }) => name === list)
      .flatMap(info => viewRemarks(info, words)),
    holds: holds.map(reason => sayHold(reason, catalogue, words)),
    effects: (['closes', 'warns', 'opens'] as const).map(effect => ({
      effect,
      count: words.number(rehearsal[effect]),
      isNone: rehearsal[effect] === 0,
      isOne: rehearsal[effect] <= 1,
    })),
    hostsSeen: rehearsal.hostsSeen,
    seenText: words.t('candidate.seenText', {
      hosts: words.number(rehearsal.hostsSeen),
      days: words.number(rehearsal.days),
    }),
    seenCount: words.number(rehearsal.closes + rehearsal.warns + rehearsal.opens),
    isCut: rehearsal.closes + rehearsal.warns + rehearsal.opens > rehearsal.seen.length,
    seen: rehearsal.seen.map(change => viewSeen(change, context)),
    categories: rehearsal.categories.map(change => viewChange(change, context)),
  }
}

function viewSeen(change: SeenChange, { catalogue, policy, words }: CandidateContext) {
  const { category } = change
  return {
    host: change.host,
    effect: change.effect,
    exchanges: words.number(change.exchanges),
    isGranted: change.isGranted,
    isPage: change.listed === 'page',
    profiles: profileLabels(change.profiles, policy, words),
    schools: (change.sites ?? []).map(uai => words.siteName(uai)).join(', '),
    category: category === undefined ? '' : categoryLabel(category, catalogue, words),
  }
}

function viewChange(change: CategoryChange, { catalogue, words }: CandidateContext) {
  const { before, after, added, removed, pages } = change
  // Of what the category holds before and after together, so that the picture never leaves its frame.
  const whole = Math.max(1, before + added)
  const kept = Math.max(0, before - removed)
  return {
    label: categoryLabel(change.category, catalogue, words),
    severity: catalogue.get(change.category)?.severity,
    before: words.number(before),
    after: words.number(after),
    added: words.number(added),
    removed: words.number(removed),
    addedSamples: change.addedSamples,
    removedSamples: change.removedSamples,
    pages:
      pages === undefined
        ? ''
        : words.t('candidate.pages', {
            after: words.number(pages.after),
            added: words.number(pages.added),
            removed: words.number(pages.removed),
          }),
    picture: {
      kept: (100 * kept) / whole,
      removed: (100 * removed) / whole,
      added: (100 * added) / whole,
    },
  }
}
