/** What an import did, in numbers that a DSI can check against the source; and what makes a list be refused whole. */
import { basename } from 'node:path'
import { PreauError } from '../../errors.ts'
import type { Catalogue, CategoryId, Severity } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import type { ListInfo } from '../../policy/lists.ts'
import type { IndexReport, ListsContext } from '../build-index.ts'
import type { RefusedLine, Tally } from './index-lists.ts'
import type { SourceKind } from './read-source.ts'
import { STARTER_NAME } from '../starter.ts'
import { refused, type Unpacking } from './unpacking.ts'
import type { IgnoredKind } from './ut1-layout.ts'

export interface ImportReport extends IndexReport {
  readonly name: string
  readonly kind: SourceKind
  readonly categories: Readonly<Record<CategoryId, Readonly<Tally>>>
  /** Domains per category. */
  readonly counts: Readonly<Record<CategoryId, number>>
  readonly domains: number
  readonly duplicates: number
  readonly refusedLines: number
  /** The first refused lines of each category. */
  readonly refusedSamples: readonly RefusedLine[]
  /** Folders that the catalogue does not know, with their lines: not imported. */
  readonly unknown: Readonly<Record<string, number>>
  readonly unknownCategories: readonly string[]
  /** Other names of a category, e.g. `porn` for `adult`: counted once. */
  readonly aliases: Readonly<Record<string, string>>
  /** Files that were not read, by kind. */
  readonly ignored: Readonly<Record<IgnoredKind, number>>
  /** The list of the same name that this one replaces. */
  readonly replaced?: ListInfo
  /** Categories of the replaced list that this one does not have any more. */
  readonly lost: readonly CategoryId[]
  /** A domain of the list that a profile may block, to try it with. */
  readonly example?: Host
}

type Tallies = ReadonlyMap<CategoryId, Tally>

const sum = (tallies: Tallies, key: 'domains' | 'duplicates' | 'refused'): number =>
  [...tallies.values()].reduce((total, tally) => total + tally[key], 0)

/** Follows one import: `judge` refuses a list that is none, `finish` gives the report. */
export function createReport({
  name,
  kind,
  into,
  request: { current, catalogue },
}: {
  readonly name: string
  readonly kind: SourceKind
  readonly into: Unpacking
  readonly request: Pick<ListsContext, 'current' | 'catalogue'>
}): {
  judge: (path: string, tallies: Tallies) => void
  finish: (built: IndexReport) => ImportReport
} {
  let categories: Tallies = new Map()
  const replaced = current?.lists.find(list => list.name === name)
  return {
    judge: (path, tallies) => {
      judge(path, tallies)
      categories = tallies
    },
    finish: built => ({
      ...built,
      name,
      kind,
      categories: Object.fromEntries(categories),
      domains: sum(categories, 'domains'),
      duplicates: sum(categories, 'duplicates'),
      counts: countsOf(categories),
      refusedLines: sum(categories, 'refused'),
      refusedSamples: [...categories.values()].flatMap(({ samples }) => samples),
      unknownCategories: [...into.unknown.keys()],
      ...exampleOf(categories, catalogue),
      unknown: Object.fromEntries(into.unknown),
      aliases: Object.fromEntries(into.aliases),
      ignored: { ...into.ignored },
      ...(replaced === undefined ? {} : { replaced }),
      lost: Object.keys(replaced?.counts ?? {}).filter(id => !categories.get(id)?.domains),
    }),
  }
}

const countsOf = (tallies: Tallies): Record<CategoryId, number> =>
  Object.fromEntries(
    [...tallies].flatMap(([id, { domains }]) => (domains > 0 ? [[id, domains]] : [])),
  )

/** Not of a category that nobody may open, nor of one that blocks nothing; rather a harmless one. */
function exampleOf(tallies: Tallies, catalogue: Catalogue): { example?: Host } {
  const ofSeverity = (severity: Severity): Host | undefined =>
    [...tallies].find(
      ([id, { example }]) => example && catalogue.get(id)?.severity === severity,
    )?.[1].example
  const example = ofSeverity('warnable') ?? ofSeverity('blockable')
  return example === undefined ? {} : { example }
}

/** An error page or a binary file is no list, and a list without a domain must not replace one (OPNsense #6866). */
function judge(path: string, tallies: Tallies): void {
  const domains = sum(tallies, 'domains') + sum(tallies, 'duplicates')
  const bad = sum(tallies, 'refused')
  if (bad > domains) {
    const sample = [...tallies.values()].flatMap(tally => tally.samples)[0]
    const [line, text] = [sample?.line, JSON.stringify(sample?.text ?? '')]
    throw refused(path, {
      fr: `${bad} lignes sur ${bad + domains} ne sont pas des domaines (ligne ${line} : ${text})`,
      en: `${bad} of its ${bad + domains} lines are no domains (line ${line}: ${text})`,
    })
  }
  if (domains === 0) throw refused(path, { fr: 'aucun domaine', en: 'no domain in it' })
}

/** The entry of the document for a list that was read. */
export function describeList(
  known: Omit<ListInfo, 'counts' | 'refusedLines'>,
  tallies: Tallies,
): ListInfo {
  return {
    ...known,
    counts: countsOf(tallies),
    refusedLines: sum(tallies, 'refused'),
  }
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/

/** The name of a list: as asked, else `ut1` for UT1's own tree, else from the file's name. Throws PREAU_INVALID_INPUT. */
export function listName(asked: string | undefined, path: string, isUt1: boolean): string {
  const name = asked ?? (isUt1 ? 'ut1' : fromFileName(path))
  if (!NAME.test(name) || name === STARTER_NAME) {
    const detail = {
      fr: `« ${name} » n’est pas admis : minuscules, chiffres, « . », « _ », « - », et pas « ${STARTER_NAME} »`,
      en: `"${name}" is not allowed: small letters, digits, ".", "_", "-", and not "${STARTER_NAME}"`,
    }
    throw new PreauError('PREAU_INVALID_INPUT', { field: '--name', detail })
  }
  return name
}

function fromFileName(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/\.(?:tar\.gz|tgz|gz|txt|list|csv)$/, '')
    .normalize('NFD')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40)
  return name === '' || name === STARTER_NAME ? 'list' : name
}
