/** Lists, an update that waits and sources, as a city that uses Préau has them. */
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { CURRENT } from '../../src/policy/document.ts'
import type { Host } from '../../src/policy/host.ts'
import type { FetchStatus, StoredSource } from '../../src/policy/list-source.ts'
import type {
  CandidateDocument,
  ListInfo,
  ListsDocument,
  ListsVersion,
} from '../../src/policy/lists.ts'
import type { Rehearsal, SeenChange } from '../../src/policy/rehearsal.ts'
import type { Store } from '../../src/store/store.ts'
import { openWorld, type World, type WorldOptions } from './world.ts'

const DAY_MS = 86_400_000

/** A world with one who decides and one who reads. */
export async function staffed(
  t: Parameters<typeof openWorld>[0],
  options: WorldOptions = {},
): Promise<World> {
  const world = await openWorld(t, options)
  await world.user('Claire', 'dsi')
  await world.user('Lecture', 'reader')
  return world
}

/** The text of a page as it is read: no tags, no runs of spaces. */
export const textOf = ({ body }: { readonly body: string }): string =>
  body
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', '’')
    .replaceAll('&quot;', '"')
    .replace(/[\s\u00a0\u202f]+/g, ' ')

export function aList(name: string, at: number, rest: Partial<ListInfo> = {}): ListInfo {
  return {
    name,
    folder: `${name}-1`,
    source: `http://listes.example/${name}.tar.gz`,
    importedAt: at,
    firstImportedAt: at,
    since: {},
    counts: { games: 12_000, shopping: 800 },
    urls: { games: 40 },
    expressions: { games: 2 },
    refusedLines: 7,
    ...rest,
  }
}

export function aVersion(id: string, at: number, lists: readonly ListInfo[]): ListsVersion {
  const hosts = lists.flatMap(({ counts }) => Object.values(counts)).reduce((a, b) => a + b, 0)
  return { id, builtAt: at, lists, index: `${id}.index`, hosts, starterDigest: 'x' }
}

export const starter = (at: number): ListInfo =>
  aList('preau', at, { folder: null, source: 'Préau', counts: { games: 30 }, urls: {} })

export function inForce(at: number, rest: Partial<ListsDocument> = {}): ListsDocument {
  const previous = aVersion('v1', at - DAY_MS, [
    starter(at - DAY_MS),
    aList('ut1', at - DAY_MS, { counts: { games: 11_000 } }),
  ])
  const version = aVersion('v2', at, [starter(at - DAY_MS), aList('ut1', at)])
  return { ...version, activatedAt: at, activatedBy: 'system', previous, ...rest }
}

export function aCandidate(at: number, rest: Partial<CandidateDocument> = {}): CandidateDocument {
  return {
    version: aVersion('v3', at, [starter(at), aList('ut1', at, { counts: { games: 6_000 } })]),
    base: 'v2',
    list: 'ut1',
    by: 'system',
    rehearsal: aRehearsal(),
    holds: [
      { kind: 'removed', category: 'games', percent: 50 },
      { kind: 'seen', closes: 1, opens: 1 },
    ],
    ...rest,
  }
}

const seen = (host: string, rest: Partial<SeenChange>): SeenChange => ({
  host: host as Host,
  exchanges: 1_204,
  isGranted: false,
  effect: 'closes',
  profiles: ['pupils'],
  category: 'games',
  ...rest,
})

export function aRehearsal(rest: Partial<Rehearsal> = {}): Rehearsal {
  return {
    categories: [
      {
        category: 'games',
        before: 12_000,
        after: 6_000,
        added: 200,
        removed: 6_200,
        addedSamples: ['neuf.example' as Host],
        removedSamples: ['vieux.example' as Host, 'ancien.example' as Host],
      },
    ],
    seen: [
      seen('exercices.example', { isGranted: true }),
      seen('jeux-libres.example', { effect: 'opens', exchanges: 12, profiles: ['pupils'] }),
    ],
    closes: 1,
    warns: 0,
    opens: 1,
    hostsSeen: 4_812,
    days: 30,
    ...rest,
  }
}

/** A candidate in which everything moves: sixty categories, two hundred hosts. */
export function aBigRehearsal(): Rehearsal {
  const categories = [...loadCatalogue().keys()].slice(0, 60).map((category, index) => {
    const before = Math.round(4_600_000 / (index + 1) ** 2)
    const removed = Math.round((before * (index % 7)) / 10)
    const added = Math.round((before * (index % 5)) / 12)
    const names = (word: string) =>
      Array.from({ length: 5 }, (_, n) => `${word}-${n}.${category}.example` as Host)
    const samples = { addedSamples: names('nouveau'), removedSamples: names('disparu') }
    return { category, before, after: before - removed + added, added, removed, ...samples }
  })
  const effects = ['closes', 'warns', 'opens'] as const
  const long = 'tres-long-nom-de-domaine-qui-ne-tient-pas-sur-un-telephone.exemple-de-ville.example'
  const hosts = Array.from({ length: 200 }, (_, n) =>
    seen(n === 0 ? long : `site-${n}.example`, {
      effect: effects[n % 3] ?? 'closes',
      exchanges: Math.round(90_000 / (n + 1)),
      isGranted: n % 9 === 0,
      profiles: n % 2 === 0 ? ['pupils', 'teachers'] : ['pupils'],
    }),
  )
  return { categories, seen: hosts, closes: 190, warns: 67, opens: 66, hostsSeen: 18_204, days: 30 }
}

/** Counts of sixty categories, as UT1 has them. */
export function manyCounts(): Record<string, number> {
  const ids = [...loadCatalogue().keys()].slice(0, 60)
  return Object.fromEntries(ids.map((id, index) => [id, Math.round(4_600_000 / (index + 1) ** 2)]))
}

export async function putLists(store: Store, body: ListsDocument, at: number): Promise<void> {
  await store.commit({ by: 'system', action: 'lists.activate', subject: 'ut1', at }, [
    { kind: 'lists', id: CURRENT, body },
  ])
}

export async function putCandidate(
  store: Store,
  body: CandidateDocument,
  at: number,
): Promise<void> {
  await store.commit({ by: 'system', action: 'lists.candidate', subject: body.list, at }, [
    { kind: 'candidate', id: CURRENT, body },
  ])
}

export async function putSource(
  store: Store,
  source: Partial<StoredSource> & { readonly name: string },
  status?: FetchStatus,
): Promise<void> {
  const body = {
    url: `https://listes.example/${source.name}.tar.gz`,
    format: 'archive',
    category: null,
    enabled: true,
    by: 'claire',
    at: 0,
    ...source,
  } as const
  await store.commit({ by: 'claire', action: 'source.add', subject: source.name, at: 0 }, [
    { kind: 'source', id: source.name, body },
    ...(status === undefined ? [] : [{ kind: 'fetch', id: source.name, body: status } as const]),
  ])
}

export async function dropSource(store: Store, id: string): Promise<void> {
  await store.commit({ by: 'claire', action: 'source.remove', subject: id, at: 0 }, [
    { kind: 'source', id, body: null },
  ])
}
