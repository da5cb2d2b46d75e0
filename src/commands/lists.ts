/** `preau lists import | show | remove | rebuild`. The commit at the end is what a running Préau follows. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findCategory } from '../categories/catalogue.ts'
import { buildStarter, removeList } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled, type InstallOptions, type Installed } from '../install.ts'
import type { Catalogue } from '../policy/category.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import { looksLikeAddress, splitAddress, withoutUser } from '../policy/credentials.ts'
import { SOURCE_FORMATS, type SourceFormat } from '../policy/list-source.ts'
import { putInForce, type ListInfo, type ListsDocument } from '../policy/lists.ts'
import { bringTexts, isAboutOneFile } from '../shared-lists/bring.ts'
import { publishVersion } from '../shared-lists/publish.ts'
import { tidyLists } from '../shared-lists/tidy.ts'
import type { Store, Stored } from '../store/store.ts'
import { download } from '../updates/download.ts'
import { updateList, type UpdateRequest } from '../updates/update-list.ts'
import { printOutcome } from './list-report.ts'
import { printable, table, type Terminal } from './terminal.ts'

export interface ImportArguments {
  /** A path, or an http(s) URL. */
  readonly path: string
  readonly category: string | undefined
  readonly name: string | undefined
  readonly format: string | undefined
  readonly mode: UpdateRequest['mode']
  readonly isJson: boolean
}

const MEGABYTE = 1e6
const SAMPLES = 5
const PROGRESS_MS = 100

export async function listsImport(
  config: Config,
  terminal: Terminal,
  { path, category, name, format, mode, isJson }: ImportArguments,
): Promise<void> {
  const { printJson, progress } = terminal
  await withLists(config, async ({ store, catalogue }) => {
    if (category !== undefined) assertCategory(category, catalogue, terminal)
    const onProgress = showProgress(terminal)
    const outcome = await withLocalFile(config, terminal, { path, onProgress }, (file, source) =>
      updateList(
        { store, config, catalogue, clock: Date.now },
        {
          path: file,
          source,
          by: 'cli',
          mode,
          onProgress,
          ...(category === undefined ? {} : { category }),
          ...(name === undefined ? {} : { name }),
          ...(format === undefined ? {} : { format: parseFormat(format, terminal) }),
        },
      ),
    )
    progress('')
    if (isJson) printJson(outcome)
    else printOutcome(outcome, catalogue, terminal)
  })
}

function parseFormat(text: string, { t }: Terminal): SourceFormat {
  const format = SOURCE_FORMATS.find(known => known === text)
  if (format !== undefined) return format
  const detail = t('unknownFormat', { format: printable(text), formats: SOURCE_FORMATS.join(', ') })
  throw new PreauError('PREAU_USAGE', { detail })
}

/** Downloads what is named by a URL to a file that goes afterwards. */
async function withLocalFile<T>(
  { dataDir, lists, dial, limits, parents }: Config,
  { t }: Terminal,
  { path, onProgress }: { readonly path: string; readonly onProgress: (bytes: number) => void },
  use: (file: string, source: string) => Promise<T>,
): Promise<T> {
  if (!looksLikeAddress(path)) return use(path, path)
  const address = splitAddress(path)
  if (address === undefined) {
    const detail = t('sources.badUrl', { url: printable(withoutUser(path)) })
    throw new PreauError('PREAU_USAGE', { detail })
  }
  const { url, credentials } = address
  const folder = await mkdtemp(join(dataDir, 'download-'))
  try {
    const file = join(folder, 'list')
    await download(url, {
      file,
      credentials,
      maxBytes: lists.downloadBytes,
      timeoutMs: lists.downloadTimeoutMs,
      parentProxy: lists.parentProxy,
      parents,
      dial,
      maxHeaderBytes: limits.maxAnswerHeaderBytes,
      onProgress,
    })
    return await use(file, url)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function assertCategory(category: string, catalogue: Catalogue, { t }: Terminal): void {
  if (findCategory(category, catalogue) !== undefined) return
  const examples = [...catalogue.keys()].slice(0, SAMPLES).join(', ')
  throw new PreauError('PREAU_USAGE', {
    detail: t('unknownCategory', { category: printable(category), examples }),
  })
}

function showProgress({ t, progress }: Terminal): (bytes: number) => void {
  let shownAt = 0
  return bytes => {
    const now = performance.now()
    if (now - shownAt < PROGRESS_MS) return
    shownAt = now
    progress(t('lists.reading', { megabytes: (bytes / MEGABYTE).toFixed(0) }))
  }
}

export async function listsShow(config: Config, terminal: Terminal, json: boolean): Promise<void> {
  const { t, print, printJson, locale } = terminal
  await withLists(config, async (_installed, { body }) => {
    if (json) {
      printJson(body)
      return
    }
    const format = new Intl.NumberFormat(locale)
    const date = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short' })
    const header = (
      ['list', 'imported', 'domains', 'categories', 'refused', 'source'] as const
    ).map(key => t(`lists.header.${key}`))
    const rows = body.lists.map(list => [
      list.name,
      date.format(list.importedAt),
      format.format(Object.values(list.counts).reduce((sum, count) => sum + count, 0)),
      String(Object.keys(list.counts).length),
      format.format(notRead(list)),
      printable(list.source),
    ])
    for (const line of table([header, ...rows], new Set([2, 3, 4]))) print(line)
  })
}

export async function listsRemove(
  config: Config,
  { t, print }: Terminal,
  name: string,
): Promise<void> {
  await withLists(config, async ({ store, catalogue }, lists) => {
    if (name === 'preau') throw new PreauError('PREAU_USAGE', { detail: t('lists.starterStays') })
    if (!lists.body.lists.some(list => list.name === name)) {
      const names = lists.body.lists.map(list => list.name).join(', ')
      throw new PreauError('PREAU_USAGE', {
        detail: t('lists.notFound', { name: printable(name), names }),
      })
    }
    const place = { dataDir: config.dataDir, files: store.files }
    await bringTexts(place, lists.body)
    const version = await removeList({
      dataDir: config.dataDir,
      current: lists.body,
      name,
      catalogue,
      now: Date.now(),
    })
    await publishVersion(place, version)
    const document = putInForce(lists.body, version, 'cli', Date.now())
    const note = { by: 'cli', action: 'lists.remove', subject: name, at: Date.now() }
    await store.commit(note, [
      { kind: 'lists', id: CURRENT, expects: lists.version, body: document },
      ...(await dropWaiting(store)),
    ])
    await tidy(store, config)
    print(t('lists.removed', { name }))
  })
}

/** An update that waits was tried against the version that goes: it could not be put in force any more. */
async function dropWaiting(store: Store): Promise<Change[]> {
  const waiting = await store.get('candidate', CURRENT)
  if (waiting === undefined) return []
  return [{ kind: 'candidate', id: CURRENT, expects: waiting.version, body: null }]
}

/** The change is made by then: a leftover that resists goes with the next one. */
async function tidy(store: Store, { dataDir }: Config): Promise<void> {
  await tidyLists(store, dataDir, Date.now()).catch(() => undefined)
}

async function withLists(
  config: Config,
  run: (
    installed: Installed,
    lists: Stored<'lists'> & { readonly body: ListsDocument },
  ) => Promise<void>,
  options: InstallOptions = {},
): Promise<void> {
  await withInstalled(
    config,
    async installed => {
      const lists = await installed.store.get('lists', CURRENT)
      if (lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
      await run(installed, lists).catch(async (error: unknown) => {
        const isSame = (await installed.store.get('lists', CURRENT))?.version === lists.version
        if (isSame) throw error
        // Another import was faster and took files of ours away: that is the cause, not the file that is missed.
        throw new PreauError('PREAU_CONFLICT', { kind: 'lists', id: CURRENT }, { cause: error })
      })
    },
    options,
  )
}

/** Lines that do not act, whatever the reason. */
const notRead = ({ refusedLines, remarks }: ListInfo): number =>
  refusedLines + (remarks?.lines ?? 0) + (remarks?.suffixLines ?? 0)

/** Builds the index anew from the kept texts: after an alarm says that a file is damaged. */
export async function listsRebuild(config: Config, terminal: Terminal): Promise<void> {
  await withLists(config, (installed, lists) => rebuild(config, terminal, installed, lists), {
    mayLoseLists: true,
  })
}

async function rebuild(
  config: Config,
  { t, print }: Terminal,
  { store, catalogue }: Installed,
  lists: Stored<'lists'>,
): Promise<void> {
  const at = Date.now()
  const place = { dataDir: config.dataDir, files: store.files }
  // A list whose texts are nowhere any more is left out: whoever types this has read that it is lost.
  await bringTexts(place, lists.body).catch((error: unknown) => {
    if (!isAboutOneFile(error)) throw error
  })
  const { missing, ...version } = await buildStarter({
    dataDir: config.dataDir,
    current: lists.body,
    catalogue,
    now: at,
  })
  await publishVersion(place, version)
  const body = { ...putInForce(lists.body, version, 'cli', at), previous: lists.body.previous }
  const detail = missing.length === 0 ? {} : { detail: { missing: missing.join(', ') } }
  await store.commit({ by: 'cli', action: 'lists.rebuild', at, ...detail }, [
    { kind: 'lists', id: CURRENT, expects: lists.version, body },
    ...(await dropWaiting(store)),
  ])
  print(t('lists.rebuilt'))
  if (missing.length > 0) print(t('lists.lost', { names: missing.join(', ') }))
}
