/** The version of the lists in force as a page shows it: the lists, their categories, and the version before. */
import type { Catalogue, CategoryId, Severity } from '../policy/category.ts'
import type { ListAge } from '../policy/list-age.ts'
import type { ListInfo, ListsDocument, ListsVersion, Remarks } from '../policy/lists.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import type { ListState } from './list-state.ts'
import { categoryLabel, listLabel, profileLabels } from './list-wording.ts'
import type { Moment, Wording } from './wording.ts'

type Counts = Readonly<Record<CategoryId, number>>

const sum = (counts: Counts | undefined): number =>
  Object.values(counts ?? {}).reduce((total, count) => total + count, 0)

export interface ListRow {
  readonly name: string
  readonly label: string
  readonly source: string
  /** Of what it holds; the day it was read where it bears no date. */
  readonly contentAt: Moment
  readonly checkedAt: Moment | undefined
  readonly state: ListAge | 'shipped'
  readonly domains: string
  readonly pages: string
  readonly expressions: string
  readonly refused: string
  readonly remarks: readonly RemarkRow[]
}

/** What there is to tell of a list, in a sentence, and the first names or lines of it. */
export interface RemarkRow {
  readonly text: string
  readonly names: readonly string[]
}

export function viewVersion(version: ListsDocument, words: Wording) {
  return {
    id: version.id,
    since: words.moment(version.activatedAt),
    by: words.by(version.activatedBy),
    hosts: words.number(version.hosts),
    previous:
      version.previous === null ? undefined : viewPrevious(version, version.previous, words),
  }
}

/** What going back would change, list by list. */
function viewPrevious(current: ListsVersion, previous: ListsVersion, words: Wording) {
  const names = new Set([...current.lists, ...previous.lists].map(({ name }) => name))
  return {
    id: previous.id,
    builtAt: words.moment(previous.builtAt),
    hosts: words.number(previous.hosts),
    lists: [...names].map(name => ({
      label: listLabel(name, words),
      today: viewContent(current, name, words),
      after: viewContent(previous, name, words),
    })),
  }
}

function viewContent({ lists }: ListsVersion, name: string, words: Wording) {
  const list = lists.find(other => other.name === name)
  if (list === undefined) return undefined
  const { importedAt, contentAt = importedAt } = list
  return { importedAt, contentAt: words.moment(contentAt), domains: words.number(sum(list.counts)) }
}

export function viewLists({ lists, standings }: ListState, words: Wording): ListRow[] {
  return (lists?.body.lists ?? []).map(list => {
    const standing = standings.find(({ name }) => name === list.name)
    const checkedAt = standing?.checkedAt
    return {
      name: list.name,
      label: listLabel(list.name, words),
      source: list.source,
      contentAt: words.moment(list.contentAt ?? list.importedAt),
      checkedAt: checkedAt === undefined ? undefined : words.moment(checkedAt),
      state: list.folder === null ? 'shipped' : (standing?.state ?? 'manual'),
      domains: words.number(sum(list.counts)),
      pages: words.number(sum(list.urls)),
      expressions: words.number(sum(list.expressions)),
      refused: words.number(list.refusedLines),
      remarks: viewRemarks(list, words),
    }
  })
}

const named = (all: Remarks['suffixes']) => all.map(({ host, category }) => `${host} (${category})`)

export function viewRemarks({ refusedLines, remarks }: ListInfo, words: Wording): RemarkRow[] {
  const { lines = 0, examples = [], suffixes = [], suffixLines = 0 } = remarks ?? {}
  const { services = [], serviceLines = 0 } = remarks ?? {}
  const { categories = [], files = 0, fileNames = [] } = remarks ?? {}
  const count = (number: number) => ({ count: words.number(number) })
  const { t } = words
  const rows: [number, RemarkRow][] = [
    [refusedLines, { text: t('lists.leftRefused', count(refusedLines)), names: [] }],
    [lines, { text: t('lists.leftLines', count(lines)), names: examples }],
    [suffixLines, { text: t('lists.leftSuffixes', count(suffixLines)), names: named(suffixes) }],
    [serviceLines, { text: t('lists.services', count(serviceLines)), names: named(services) }],
    [categories.length, { text: t('lists.leftCategories'), names: categories }],
    [files, { text: t('lists.leftFiles', count(files)), names: fileNames }],
  ]
  return rows.flatMap(([size, row]) => (size > 0 ? row : []))
}

export interface CategoryRow {
  readonly id: CategoryId
  readonly label: string
  readonly severity: Severity | undefined
  readonly blocked: string
  readonly warned: string
  readonly domains: string
  readonly pages: string
  /** Percent of the biggest category, for the picture. */
  readonly share: number
}

/** The categories of all lists together, the biggest first. */
export function viewCategories(
  version: ListsVersion,
  catalogue: Catalogue,
  policy: PolicyDocument | undefined,
  words: Wording,
): CategoryRow[] {
  const domains = merge(version.lists.map(({ counts }) => counts))
  const pages = merge(version.lists.map(({ urls }) => urls))
  const sizeOf = (id: CategoryId) => domains.get(id) ?? 0
  const ids = [...new Set([...domains.keys(), ...pages.keys()])].sort(
    (a, b) => sizeOf(b) - sizeOf(a),
  )
  const biggest = Math.max(1, ...domains.values())
  const who = (key: 'blocked' | 'warned', id: CategoryId) => {
    const profiles = policy?.profiles.filter(profile => profile[key].includes(id)) ?? []
    return profileLabels(
      profiles.map(profile => profile.id),
      policy,
      words,
    )
  }
  return ids.map(id => ({
    id,
    label: categoryLabel(id, catalogue, words),
    severity: catalogue.get(id)?.severity,
    blocked: who('blocked', id),
    warned: who('warned', id),
    domains: words.number(sizeOf(id)),
    pages: words.number(pages.get(id) ?? 0),
    share: (100 * sizeOf(id)) / biggest,
  }))
}

function merge(all: readonly (Counts | undefined)[]): Map<CategoryId, number> {
  const total = new Map<CategoryId, number>()
  for (const counts of all) {
    for (const [id, count] of Object.entries(counts ?? {})) {
      total.set(id, (total.get(id) ?? 0) + count)
    }
  }
  return total
}

/** UT1 is published under CC BY-SA 4.0: whoever shows what it says names it. */
export function needsAttribution(version: ListsVersion): boolean {
  return version.lists.some(
    ({ name, source }) => name === 'ut1' || source.includes('dsi.ut-capitole.fr'),
  )
}
