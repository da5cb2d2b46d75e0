/** What a list keeps from one version to the next, and what happens when its files or its index are not there any more. */
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import {
  buildStarter,
  dropUnreferenced,
  importList,
  indexFile,
} from '../../src/categories/lists.ts'
import type { Host } from '../../src/policy/host.ts'
import { putInForce, type ListInfo, type ListsVersion } from '../../src/policy/lists.ts'
import { ut1Entries, writeArchive } from './fixtures/archive.ts'

const catalogue = loadCatalogue()
const T0 = Date.UTC(2026, 7, 17)

interface World {
  readonly dataDir: string
  readonly folder: string
  /** A file of one domain. */
  readonly path: string
  readonly at: (
    current: ListsVersion | undefined,
    minutes?: number,
  ) => Parameters<typeof buildStarter>[0]
}

function world(t: Test): World {
  const folder = t.testdir({ 'my.txt': 'a.example' })
  const dataDir = join(folder, 'data')
  return {
    folder,
    dataDir,
    path: join(folder, 'my.txt'),
    at: (current, minutes = 0) => ({ dataDir, current, catalogue, now: T0 + minutes * 60_000 }),
  }
}

async function categoriesOf(
  dataDir: string,
  version: ListsVersion,
  name: string,
): Promise<readonly string[]> {
  const { lookup } = await openCategoryIndex(indexFile(dataDir, version), { cacheEntries: 0 })
  return lookup(name as Host)
}

t.test('lists whose files somebody deleted are left out at a start, which says so', async t => {
  const w = world(t)
  const one = await importList({ ...w.at(undefined), path: w.path, category: 'ai', name: 'one' })
  const two = await importList({
    ...w.at(one.version, 1),
    path: w.path,
    category: 'games',
    name: 'two',
  })
  t.same((await buildStarter(w.at(two.version, 2))).missing, [])
  const gone = two.version.lists.find(({ name }) => name === 'one')?.folder ?? ''
  rmSync(join(w.dataDir, 'lists', gone), { recursive: true })
  const again = importList({ ...w.at(two.version, 3), path: w.path, category: 'ai', name: 'three' })
  await t.rejects(again, { code: 'PREAU_FILE_UNREADABLE', message: new RegExp(gone) })
  const version = await buildStarter(w.at(two.version, 4))
  t.match(version, { missing: ['one'], lists: [{ name: 'preau' }, { name: 'two' }] })
  t.same(await categoriesOf(w.dataDir, version, 'a.example'), ['games'])
  rmSync(join(w.dataDir, 'lists'), { recursive: true })
  const anew = await buildStarter(w.at(version, 5))
  t.match(anew, { missing: ['two'], lists: [{ name: 'preau' }] })
  t.same(await categoriesOf(w.dataDir, anew, 'www.roblox.com'), ['games'])
})

t.test('a list written by the first version of Préau gets the fields that it lacks', async t => {
  const w = world(t)
  const { version } = await importList({
    ...w.at(undefined),
    path: w.path,
    category: 'ai',
  })
  const lists = version.lists.map(list => {
    const { firstImportedAt: _a, since: _b, urls: _c, expressions: _d, ...old } = list
    return old as ListInfo
  })
  const built = await buildStarter(w.at({ ...version, lists }, 1))
  t.same(built.lists[1], version.lists[1])
  t.same(await categoriesOf(w.dataDir, built, 'a.example'), ['ai'])
})

t.test('a damaged index does not stop the import that replaces it', async t => {
  const w = world(t)
  const { version } = await importList({ ...w.at(undefined), path: w.path, category: 'ai' })
  writeFileSync(indexFile(w.dataDir, version), 'damaged')
  const next = await importList({ ...w.at(version, 1), path: w.path, category: 'ai' })
  t.same(await categoriesOf(w.dataDir, next.version, 'a.example'), ['ai'])
})

t.test('when a list and its categories first came is kept through its updates', async t => {
  const w = world(t)
  const bring = async (current: ListsVersion | undefined, minutes: number, ids: string[]) => {
    const entries = ut1Entries(Object.fromEntries(ids.map(id => [id, 'a.example\n'])))
    const path = await writeArchive(join(w.folder, 'a.tar.gz'), entries)
    return (await importList({ ...w.at(current, minutes), path })).version
  }
  const one = await bring(undefined, 0, ['games'])
  t.match(one.lists[1], { firstImportedAt: T0, since: {} })
  const two = await bring(one, 1, ['games', 'ai'])
  const three = await bring(two, 2, ['games', 'ai'])
  const came = { ai: T0 + 60_000 }
  t.match(three.lists[1], { firstImportedAt: T0, importedAt: T0 + 120_000, since: came })
  t.same(Object.keys(three.lists[1]?.since ?? {}), ['ai'])
  const four = await bring(three, 3, ['games'])
  t.same(four.lists[1]?.since, {}, 'a category that went takes its date with it')
})

t.test(
  'what the version in force, the one before or a candidate name is kept; halves go',
  async t => {
    const w = world(t)
    const versions: ListsVersion[] = []
    for (let i = 0; i < 4; i++) {
      const request = { ...w.at(versions.at(-1), i), path: w.path, category: 'ai' }
      versions.push((await importList(request)).version)
    }
    const [, before, version, current] = versions
    if (before === undefined || version === undefined || current === undefined)
      throw new TypeError('four were built')
    const folder = join(w.dataDir, 'lists')
    const half = (minutes: number): string =>
      `${(T0 + minutes * 60_000).toString(36).padStart(9, '0')}-abcdef`
    mkdirSync(join(folder, `reading-${half(0)}`))
    mkdirSync(join(folder, `reading-${half(9)}`))
    writeFileSync(join(folder, `index-${half(0)}.bin.partial`), '')
    const lists = putInForce(putInForce(undefined, before, 'cli', 0), current, 'cli', 0)
    const rehearsal = {
      categories: [],
      seen: [],
      closes: 0,
      warns: 0,
      opens: 0,
      hostsSeen: 0,
      days: 0,
    }
    const waits = { base: current.id, list: 'my', by: 'cli', rehearsal, holds: [] }
    const namesOf = (all: readonly ListsVersion[]): (string | null | undefined)[] =>
      all.flatMap(({ index, lists: [, my] }) => [index, my?.folder])
    await dropUnreferenced(w.dataDir, { lists, candidate: { ...waits, version } })
    const kept = [...namesOf([before, version, current]), `reading-${half(9)}`]
    t.same(new Set(readdirSync(folder)), new Set(kept))
    await dropUnreferenced(w.dataDir, { lists })
    const without = [...namesOf([before, current]), `reading-${half(9)}`]
    t.same(new Set(readdirSync(folder)), new Set(without), 'once it waits no more, it goes')
  },
)

t.test('a list is dated by what it bears itself, not by the day it was read', async t => {
  const w = world(t)
  const august = Date.UTC(2026, 7, 17, 6)
  const later = Math.floor((august - T0) / 60_000) + 60 * 24 * 90
  const dateOf = async (dates: readonly number[]): Promise<number | undefined> => {
    const entries = dates.map((mtime, i) => ({
      ...(ut1Entries({ [i === 0 ? 'games' : 'press']: 'a.example\n' })[0] ?? { name: 'x' }),
      mtime: new Date(mtime),
    }))
    const path = await writeArchive(join(w.folder, 'ut1.tar.gz'), entries)
    const { version } = await importList({ ...w.at(undefined, later), path })
    return version.lists.find(({ name }) => name === 'ut1')?.contentAt
  }
  t.equal(await dateOf([august]), august)
  t.equal(await dateOf([august - 86_400_000, august]), august, 'the newest part')
  t.equal(await dateOf([0]), undefined, 'an archive made anew has no date')
  t.equal(await dateOf([T0 + 365 * 86_400_000]), undefined, 'nor has one of the future')
  const folder = join(w.folder, 'tree')
  mkdirSync(join(folder, 'games'), { recursive: true })
  writeFileSync(join(folder, 'games', 'domains'), 'a.example\n')
  utimesSync(join(folder, 'games', 'domains'), august / 1_000, august / 1_000)
  const { version } = await importList({ ...w.at(undefined, later), path: folder, name: 'tree' })
  t.equal(version.lists.find(({ name }) => name === 'tree')?.contentAt, august)
})
