/** Several machines on one Redis, without their processes: each with a data folder and a store of its own. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import { indexFile, listsFolder } from '../../src/categories/lists.ts'
import { loadConfig, type Config } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import type { Catalogue } from '../../src/policy/category.ts'
import { CURRENT } from '../../src/policy/document.ts'
import type { ListsDocument, ListsVersion } from '../../src/policy/lists.ts'
import { followLists } from '../../src/shared-lists/follow-lists.ts'
import type { SharedFiles } from '../../src/store/shared-files.ts'
import type { Store } from '../../src/store/store.ts'
import {
  updateList,
  type UpdateOutcome,
  type UpdateRequest,
} from '../../src/updates/update-list.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'

export interface Machine {
  readonly config: Config
  readonly store: Store
  readonly catalogue: Catalogue
  readonly files: SharedFiles
  /** What its log said, by this follower. */
  readonly said: string[]
  readonly lists: () => Promise<ListsDocument>
  readonly has: (version: Pick<ListsVersion, 'index'>) => boolean
  /** Names below the folder of its lists, those of kept texts too. */
  readonly names: () => string[]
  readonly checksum: (name: string) => string
  readonly path: (name: string) => string
  readonly importHosts: (
    name: string,
    hosts: readonly string[],
    more?: Partial<UpdateRequest>,
  ) => Promise<UpdateOutcome>
  /** Begins to follow; ends with the test. */
  readonly follow: (lateMs?: number) => { stop(): Promise<void> }
}

export interface Machines {
  readonly redis: RedisServer
  readonly add: (name: string) => Promise<Machine>
  readonly configOf: (name: string) => Config
}

export async function openMachines(t: Test): Promise<Machines> {
  // Not `t.testdir()`, which would be removed under the feet of those who still follow.
  const dir = mkdtempSync(join(tmpdir(), 'preau-machines-'))
  const ends: (() => Promise<void>)[] = []
  t.teardown(async () => {
    for (const end of ends.toReversed()) await end()
    rmSync(dir, { recursive: true })
  })
  const redis = await startRedis(t)
  const configOf = (name: string): Config =>
    loadConfig(undefined, { PREAU_DATA_DIR: join(dir, name), PREAU_STORE: redis.url })
  return { redis, configOf, add: name => openMachine(configOf(name), ends) }
}

async function openMachine(config: Config, ends: (() => Promise<void>)[]): Promise<Machine> {
  const { store, catalogue } = await install(config, Date.now)
  ends.push(() => store.close())
  const { files } = store
  if (files === undefined) throw new Error('a store without files')
  const { dataDir } = config
  const path = (name: string): string => join(listsFolder(dataDir), name)
  const said: string[] = []
  const logger = { warn: ({ err }: { err: unknown }) => void said.push(String(err)) } as never
  return {
    config,
    store,
    catalogue,
    files,
    said,
    path,
    lists: () => listsOf(store),
    has: version => existsSync(indexFile(dataDir, version)),
    names: () => readdirSync(listsFolder(dataDir), { recursive: true }).map(String).sort(),
    checksum: name =>
      createHash('sha256')
        .update(readFileSync(path(name)))
        .digest('hex'),
    importHosts(name, hosts, more = {}) {
      mkdirSync(join(dataDir, 'in'), { recursive: true })
      const file = join(dataDir, 'in', 'list.txt')
      writeFileSync(file, `${hosts.join('\n')}\n`)
      const request = { path: file, source: 'test', name, category: 'games', by: 'cli' }
      return updateList(
        { store, config, catalogue, clock: Date.now },
        { ...request, mode: 'activate', ...more },
      )
    },
    follow(lateMs) {
      const late = lateMs === undefined ? {} : { lateMs }
      const follower = followLists({ store, config, clock: Date.now, logger, ...late })
      ends.push(() => follower.stop())
      return follower
    },
  }
}

async function listsOf(store: Store): Promise<ListsDocument> {
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new Error('no lists')
  return lists.body
}

/** Until it is so; throws after ten seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await isSo());) {
    if (performance.now() > end) throw new Error('it never came to that')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
