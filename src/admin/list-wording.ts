/** Words for lists and their sources: how a list is called, why a fetch failed, why an update waits. */
import { ERRORS, PreauError, type ErrorCode } from '../errors.ts'
import type { Catalogue, CategoryId } from '../policy/category.ts'
import type { FetchFailure } from '../policy/list-source.ts'
import type { ProfileId } from '../policy/network.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import type { HoldReason } from '../policy/rehearsal.ts'
import { isAdminText } from './texts.ts'
import type { Wording } from './wording.ts'

/** « UT1 » rather than `ut1`; a list without a name of its own is called as it was imported. */
export function listLabel(name: string, { t }: Wording): string {
  const key = `listName.${name}`
  return isAdminText(key) ? t(key) : name
}

export function categoryLabel(id: CategoryId, catalogue: Catalogue, { locale }: Wording): string {
  return catalogue.get(id)?.label[locale] ?? id
}

export function profileLabels(
  ids: readonly ProfileId[],
  policy: PolicyDocument | undefined,
  { locale }: Wording,
): string {
  const labels = new Map(policy?.profiles.map(({ id, label }) => [id, label[locale]]))
  return ids.map(id => labels.get(id) ?? id).join(', ')
}

/** The text of an error that another process has written down; its code alone where ours does not know it. */
export function sayFailure({ code, params }: FetchFailure, { locale }: Wording): string {
  return isErrorCode(code) ? new PreauError(code, params).text(locale) : code
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}

export function sayHold(reason: HoldReason, catalogue: Catalogue, words: Wording): string {
  const { t } = words
  switch (reason.kind) {
    case 'removed':
    case 'added':
      return t(`hold.${reason.kind}`, {
        category: categoryLabel(reason.category, catalogue, words),
        percent: words.number(Math.round(reason.percent)),
      })
    case 'lost':
      return t('hold.lost', { category: categoryLabel(reason.category, catalogue, words) })
    case 'seen':
      return t('hold.seen', {
        closes: words.number(reason.closes),
        opens: words.number(reason.opens),
      })
    case 'asked':
    case 'waiting':
      return t(`hold.${reason.kind}`)
    default:
      return reason satisfies never
  }
}
