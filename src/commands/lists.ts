/** `preau lists import | show | remove`. The commit at the end is what a running Préau follows. */
import { findCategory } from '../categories/catalogue.ts'
import { dropUnreferenced, importList, removeList, type ImportReport } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled, type Installed } from '../install.ts'
import type { Catalogue } from '../policy/category.ts'
import { CURRENT } from '../policy/document.ts'
import type { ListsDocument } from '../policy/lists.ts'
import type { Stored } from '../store/store.ts'
import { printable, table, type Terminal } from './terminal.ts'

export interface ImportArguments {
  readonly path: string
  readonly category: string | undefined
  readonly name: string | undefined
}

const MEGABYTE = 1e6
const SAMPLES = 5
const PROGRESS_MS = 100

export async function listsImport(
  config: Config,
  terminal: Terminal,
  { path, category, name }: ImportArguments,
): Promise<void> {
  const { t, print, progress } = terminal
  await withLists(config, async ({ store, catalogue }, lists) => {
    if (category !== undefined) assertCategory(category, catalogue, terminal)
    const { document, report } = await importList({
      dataDir: config.dataDir,
      current: lists.body,
      path,
      ...(category === undefined ? {} : { category }),
      ...(name === undefined ? {} : { name }),
      catalogue,
      now: Date.now(),
      onProgress: showProgress(terminal),
    })
    progress('')
    const note = { by: 'cli', action: 'lists.import', subject: report.name, at: Date.now() }
    await store.commit(note, [
      { kind: 'lists', id: CURRENT, expects: lists.version, body: document },
    ])
    await tidy(config, document)
    printReport(report, terminal)
    print(t('lists.next', { example: printable(report.example ?? 'fr.wikipedia.org') }))
  })
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

function printReport(report: ImportReport, { t, print, locale }: Terminal): void {
  const counts = Object.entries(report.counts)
  const format = new Intl.NumberFormat(locale)
  const domains = counts.reduce((sum, [, count]) => sum + count, 0)
  print(
    t('lists.done', {
      domains: format.format(domains),
      name: report.name,
      categories: counts.length,
      seconds: format.format(Math.round(report.elapsedMs / 100) / 10),
    }),
  )
  if (report.refusedLines > 0) {
    print(t('lists.refused', { count: format.format(report.refusedLines) }))
    for (const { file, line, text } of report.refusedSamples.slice(0, SAMPLES)) {
      print(`  ${file}:${line}  ${printable(text)}`)
    }
  }
  if (report.unknownCategories.length > 0) {
    print(t('lists.unknown', { names: printable(report.unknownCategories.join(', ')) }))
  }
}

export async function listsShow(config: Config, terminal: Terminal, json: boolean): Promise<void> {
  const { t, print, locale } = terminal
  await withLists(config, async (_installed, { body }) => {
    if (json) {
      print(JSON.stringify(body, undefined, 2))
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
      format.format(list.refusedLines),
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
    const document = await removeList({
      dataDir: config.dataDir,
      current: lists.body,
      name,
      catalogue,
      now: Date.now(),
    })
    const note = { by: 'cli', action: 'lists.remove', subject: name, at: Date.now() }
    await store.commit(note, [
      { kind: 'lists', id: CURRENT, expects: lists.version, body: document },
    ])
    await tidy(config, document)
    print(t('lists.removed', { name }))
  })
}

/** The change is made by then: a leftover that resists goes with the next one. */
async function tidy({ dataDir }: Config, document: ListsDocument): Promise<void> {
  await dropUnreferenced(dataDir, document).catch(() => undefined)
}

async function withLists(
  config: Config,
  run: (
    installed: Installed,
    lists: Stored<'lists'> & { readonly body: ListsDocument },
  ) => Promise<void>,
): Promise<void> {
  await withInstalled(config, async installed => {
    const lists = await installed.store.get('lists', CURRENT)
    if (lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
    await run(installed, lists).catch(async (error: unknown) => {
      const isSame = (await installed.store.get('lists', CURRENT))?.version === lists.version
      if (isSame) throw error
      // Another import was faster and took files of ours away: that is the cause, not the file that is missed.
      throw new PreauError('PREAU_CONFLICT', { kind: 'lists', id: CURRENT }, { cause: error })
    })
  })
}
