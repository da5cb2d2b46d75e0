/** What an import did, in numbers that a DSI can check against the source; and what makes a list be refused whole. */
import { basename } from 'node:path'
import { PreauError } from '../../errors.ts'
import type { Catalogue, CategoryId, Severity } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import { isHttpUrl, LIST_NAME } from '../../policy/list-source.ts'
import type { Remarks, ListInfo } from '../../policy/lists.ts'
import { countsOf, remarksOf } from '../build-index.ts'
import type { IndexReport, ListsContext, Tallied } from '../build-index.ts'
import type { RefusedLine } from './index-lists.ts'
import type { SourceKind } from './source-kind.ts'
import { STARTER_NAME } from '../starter.ts'
import { refused } from './refusal.ts'
import type { Unpacking } from './unpacking.ts'
import { findContradictions, type Contradiction, type Usage } from './usage.ts'
import type { IgnoredKind } from './ut1-layout.ts'

export interface ImportReport extends IndexReport {
  readonly name: string
  readonly kind: SourceKind
  readonly categories: Readonly<Record<CategoryId, Readonly<Tallied>>>
  /** Domains per category. */
  readonly counts: Readonly<Record<CategoryId, number>>
  readonly domains: number
  readonly pages: number
  readonly expressions: number
  readonly duplicates: number
  readonly refusedLines: number
  /** The first refused lines of each category. */
  readonly refusedSamples: readonly RefusedLine[]
  /** What was understood or seen, and does not act. */
  readonly remarks: Remarks
  /** The first of those lines, of each category. */
  readonly leftSamples: readonly RefusedLine[]
  /** Folders that the catalogue does not know, with their lines: not imported. */
  readonly unknown: Readonly<Record<string, number>>
  readonly unknownCategories: readonly string[]
  /** Other names of a category, e.g. `porn` for `adult`: counted once. */
  readonly aliases: Readonly<Record<string, string>>
  /** What the source says of its folders: to block, to allow, and a French label. */
  readonly usages: Readonly<Record<string, Usage>>
  /** Where it contradicts itself or the catalogue, which decides. */
  readonly contradictions: readonly Contradiction[]
  /** Files that were not read, by kind. */
  readonly ignored: Readonly<Record<IgnoredKind, number>>
  /** The list of the same name that this one replaces. */
  readonly replaced?: ListInfo
  /** Categories of the replaced list that this one does not have any more. */
  readonly lost: readonly CategoryId[]
  /** A domain of the list that a profile may block, to try it with. */
  readonly example?: Host
}

type Tallies = readonly Tallied[]

const sum = (tallies: Tallies, key: 'distinct' | 'names' | 'refused'): number =>
  tallies.reduce((total, tally) => total + tally[key], 0)

const ofKind = (tallies: Tallies, kind: Tallied['kind']): Tallies =>
  tallies.filter(tally => tally.kind === kind)

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
  judge: (tallies: Tallies) => void
  finish: (built: IndexReport) => ImportReport
} {
  let all: Tallies = []
  const { usages } = into
  const replaced = current?.lists.find(list => list.name === name)
  return {
    judge: tallies => {
      judge(into.source, tallies)
      all = tallies
    },
    finish: built => {
      const categories = ofKind(all, 'domains')
      return {
        ...built,
        name,
        kind,
        categories: Object.fromEntries(categories.map(tally => [tally.category, tally])),
        domains: sum(categories, 'distinct'),
        pages: sum(ofKind(all, 'urls'), 'distinct'),
        expressions: sum(ofKind(all, 'expressions'), 'distinct'),
        duplicates: sum(categories, 'names') - sum(categories, 'distinct'),
        counts: countsOf(all, 'domains'),
        refusedLines: sum(all, 'refused'),
        refusedSamples: all.flatMap(({ samples }) => samples),
        remarks: remarksOf(all, besideOf(into)),
        leftSamples: all.flatMap(({ leftSamples }) => leftSamples),
        unknownCategories: [...into.unknown.keys()],
        ...exampleOf(categories, catalogue),
        unknown: Object.fromEntries(into.unknown),
        aliases: Object.fromEntries(into.aliases),
        usages: Object.fromEntries(usages),
        contradictions: findContradictions(usages, catalogue),
        ignored: { ...into.ignored },
        ...(replaced === undefined ? {} : { replaced }),
        lost: Object.keys(replaced?.counts ?? {}).filter(
          id => !categories.some(tally => tally.category === id && tally.distinct > 0),
        ),
      }
    },
  }
}

/** What of the source is known beside its lines. */
export const besideOf = ({ unknown, ignored, passedOver }: Unpacking) => ({
  categories: [...unknown.keys()],
  files: ignored.other,
  fileNames: passedOver,
})

/** Not of a category that nobody may open, nor of one that blocks nothing; rather a harmless one. */
function exampleOf(tallies: Tallies, catalogue: Catalogue): { example?: Host } {
  const ofSeverity = (severity: Severity): Host | undefined =>
    tallies.find(
      ({ category, example }) => example && catalogue.get(category)?.severity === severity,
    )?.example
  const example = ofSeverity('warnable') ?? ofSeverity('blockable')
  return example === undefined ? {} : { example }
}

/**
 * An error page or a binary file is no list, and a list without a domain must not replace one (OPNsense #6866). Only lines
 * of no known form speak against a list: one for browsers may hold more exceptions and options than hosts.
 */
function judge(source: string, tallies: Tallies): void {
  const domains = sum(tallies, 'names')
  const bad = sum(tallies, 'refused')
  if (bad > domains) {
    const sample = tallies.flatMap(tally => tally.samples)[0]
    const [line, text] = [sample?.line, JSON.stringify(sample?.text ?? '')]
    throw refused(source, {
      fr: `${bad} lignes sur ${bad + domains} ne sont pas des domaines (ligne ${line} : ${text})`,
      en: `${bad} of its ${bad + domains} lines are no domains (line ${line}: ${text})`,
    })
  }
  if (domains === 0) throw refused(source, { fr: 'aucun domaine', en: 'no domain in it' })
}

/** The entry of the document for a list that was read. */
export function describeList(
  known: Omit<ListInfo, 'counts' | 'urls' | 'expressions' | 'refusedLines' | 'remarks'>,
  tallies: Tallies,
  beside: ReturnType<typeof besideOf>,
): ListInfo {
  return {
    ...known,
    counts: countsOf(tallies, 'domains'),
    urls: countsOf(tallies, 'urls'),
    expressions: countsOf(tallies, 'expressions'),
    refusedLines: sum(tallies, 'refused'),
    remarks: remarksOf(tallies, beside),
  }
}

/** The name of a list: as asked, else `ut1` for UT1's own tree, else from the file's name. Throws PREAU_INVALID_INPUT. */
export function listName(asked: string | undefined, source: string, isUt1: boolean): string {
  const name = asked ?? (isUt1 ? 'ut1' : fromFileName(source))
  if (!LIST_NAME.test(name)) {
    const detail = {
      fr: `« ${name} » n’est pas admis : minuscules, chiffres, « . », « _ », « - », et pas « ${STARTER_NAME} »`,
      en: `"${name}" is not allowed: small letters, digits, ".", "_", "-", and not "${STARTER_NAME}"`,
    }
    throw new PreauError('PREAU_INVALID_INPUT', { field: '--name', detail })
  }
  return name
}

/** `source` is a path or a URL, whose query is no part of the name. */
function fromFileName(source: string): string {
  const name = basename(isHttpUrl(source) ? new URL(source).pathname : source)
    .toLowerCase()
    .replace(/\.(?:tar(?:\.gz)?|tgz|(?:(?:txt|list|csv)\.)?gz|txt|list|csv)$/, '')
    .normalize('NFD')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40)
  return name === '' || name === STARTER_NAME ? 'list' : name
}
