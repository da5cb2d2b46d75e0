/** `preau lists source add | list | enable | disable | remove`: where the lists come from. */
import { randomUUID } from 'node:crypto'
import { MAX_SOURCES, readListState, type ListState } from '../admin/list-state.ts'
import { findCategory } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled, type Installed } from '../install.ts'
import type { Catalogue } from '../policy/category.ts'
import { splitAddress, withoutUser } from '../policy/credentials.ts'
import { CURRENT } from '../policy/document.ts'
import {
  KNOWN_SOURCES,
  LIST_NAME,
  MAX_SOURCE_URL,
  SOURCE_FORMATS,
  type SourceFormat,
  type SourceWithCredentials,
} from '../policy/list-source.ts'
import type { Stored } from '../store/store.ts'
import { momentOf } from '../updates/fetch-record.ts'
import { nextFetchAt } from '../updates/fetch-times.ts'
import { fetchNow, namedSource } from './fetch.ts'
import { readSecret } from './secret.ts'
import { printable, table, type CliKey, type Terminal } from './terminal.ts'

export interface SourceArguments {
  readonly name: string
  readonly url: string | undefined
  readonly format: string | undefined
  readonly category: string | undefined
  /** Whom the server of the list knows; the password is asked for, or is the first line of standard input. */
  readonly user: string | undefined
  /** Fetch it at once. */
  readonly now: boolean
}

export async function sourceAdd(
  config: Config,
  terminal: Terminal,
  args: SourceArguments,
): Promise<void> {
  const { t, print } = terminal
  await withInstalled(config, async installed => {
    const { store, catalogue } = installed
    const source = await readSource(args, catalogue, terminal)
    const { sources, stored } = await read(config, installed)
    const { name, url, category } = source
    if (sources.some(known => known.name === name)) throw usage(terminal, 'sources.taken', { name })
    if (stored.size >= MAX_SOURCES) throw usage(terminal, 'sources.tooMany', { max: MAX_SOURCES })
    const at = Date.now()
    // Not a reason to make the CA: the city may not have its name yet.
    const known = await store.get('installation', CURRENT)
    const seed = known?.body.caFingerprint ?? randomUUID()
    const nextAt = nextFetchAt(momentOf({ config, seed }, name), at)
    const note = { by: 'cli', action: 'source.add', subject: name, detail: { url, category }, at }
    await store.commit(note, [
      { kind: 'source', id: name, expects: 'absent', body: { ...source, by: 'cli', at } },
      { kind: 'fetch', id: name, body: { nextAt } },
    ])
    if (!args.now) {
      print(t('sources.added', { name, date: dated(nextAt, terminal) }))
      return
    }
    print(t('sources.addedNow', { name, url: printable(url) }))
    await fetchNow(config, terminal, installed, source)
  })
}

/** A known name needs nothing more: `preau lists source add ut1`. */
async function readSource(
  args: SourceArguments,
  catalogue: Catalogue,
  terminal: Terminal,
): Promise<SourceWithCredentials> {
  const { name } = args
  if (!LIST_NAME.test(name)) throw usage(terminal, 'sources.badName', { name })
  const known = KNOWN_SOURCES.find(other => other.name === name)
  const typed = args.url ?? known?.url
  if (typed === undefined) {
    const names = KNOWN_SOURCES.map(other => other.name).join(', ')
    throw usage(terminal, 'sources.needsUrl', { name, names })
  }
  const address = splitAddress(typed)
  if (address === undefined || typed.length > MAX_SOURCE_URL)
    throw usage(terminal, 'sources.badUrl', { url: withoutUser(typed) })
  const { url } = address
  const isKnown = url === known?.url
  const format = readFormat(args.format, isKnown ? known.format : 'auto', terminal)
  const category = readCategory(args.category, catalogue, terminal)
  if (format === 'lines' && category === null) throw usage(terminal, 'sources.needsCategory')
  if (format === 'archive' && category !== null) throw usage(terminal, 'sources.ownCategories')
  const source = { name, url, format, category, enabled: true }
  const { user } = args
  const credentials =
    user === undefined
      ? address.credentials
      : { user, password: await readSecret([terminal.t('sources.password', { user })], terminal) }
  return credentials === undefined ? source : { ...source, credentials }
}

function readFormat(
  text: string | undefined,
  fallback: SourceFormat,
  terminal: Terminal,
): SourceFormat {
  if (text === undefined) return fallback
  const format = SOURCE_FORMATS.find(known => known === text)
  if (format !== undefined) return format
  throw usage(terminal, 'unknownFormat', { format: text, formats: SOURCE_FORMATS.join(', ') })
}

function readCategory(
  text: string | undefined,
  catalogue: Catalogue,
  terminal: Terminal,
): string | null {
  if (text === undefined) return null
  const category = findCategory(text, catalogue)
  if (category !== undefined) return category
  const examples = [...catalogue.keys()].slice(0, 5).join(', ')
  throw usage(terminal, 'unknownCategory', { category: text, examples })
}

export async function sourceList(config: Config, terminal: Terminal, json: boolean): Promise<void> {
  const { t, print, printJson } = terminal
  await withInstalled(config, async installed => {
    const { sources, statuses } = await read(config, installed)
    if (json) {
      const rows = sources.map(source => ({ ...source, status: statuses.get(source.name) ?? null }))
      printJson(rows)
      return
    }
    if (sources.length === 0) {
      print(t('sources.none'))
      return
    }
    const header = (['name', 'checked', 'next', 'state', 'url'] as const).map(key =>
      t(`sources.header.${key}`),
    )
    const rows = sources.map(({ name, enabled, url, hasCredentials }) => {
      const { checkedAt, nextAt, failure } = statuses.get(name) ?? {}
      const state = !enabled ? 'off' : failure !== undefined ? 'failing' : 'on'
      return [
        name,
        dated(checkedAt, terminal),
        enabled ? dated(nextAt, terminal) : '—',
        t(`sources.state.${state}`),
        printable(hasCredentials ? `${url} (${t('sources.withCredentials')})` : url),
      ]
    })
    for (const line of table([header, ...rows])) print(line)
  })
}

export async function sourceSwitch(
  config: Config,
  terminal: Terminal,
  name: string,
  enabled: boolean,
): Promise<void> {
  await change(config, terminal, name, async ({ store }, row) => {
    const at = Date.now()
    const body = { ...row.body, enabled, by: 'cli', at }
    const note = { by: 'cli', action: 'source.change', subject: name, detail: { enabled }, at }
    await store.commit(note, [{ kind: 'source', id: name, expects: row.version, body }])
    terminal.print(terminal.t(enabled ? 'sources.enabled' : 'sources.disabled', { name }))
  })
}

/** The list stays in force; what is known of its fetches goes with the source. */
export async function sourceRemove(
  config: Config,
  terminal: Terminal,
  name: string,
): Promise<void> {
  await change(config, terminal, name, async ({ store }, row) => {
    const note = { by: 'cli', action: 'source.remove', subject: name, at: Date.now() }
    await store.commit(note, [
      { kind: 'source', id: name, expects: row.version, body: null },
      { kind: 'fetch', id: name, body: null },
    ])
    terminal.print(terminal.t('sources.removed', { name }))
  })
}

async function change(
  config: Config,
  terminal: Terminal,
  name: string,
  act: (installed: Installed, row: Stored<'source'>) => Promise<void>,
): Promise<void> {
  await withInstalled(config, async installed => {
    const { sources, stored } = await read(config, installed)
    const source = namedSource(sources, name, terminal)
    const row = stored.get(name)
    if (source.isFromConfig || row === undefined)
      throw usage(terminal, 'sources.fromConfig', { name })
    await act(installed, row)
  })
}

const read = (config: Config, { store }: Installed): Promise<ListState> =>
  readListState({ store, config, clock: Date.now })

function usage(
  { t }: Terminal,
  key: CliKey,
  params: Readonly<Record<string, string | number>> = {},
): PreauError {
  const shown = Object.entries(params).map(([name, value]) => [name, printable(String(value))])
  return new PreauError('PREAU_USAGE', {
    detail: t(key, Object.fromEntries(shown) as Record<string, string>),
  })
}

function dated(at: number | undefined, { locale }: Terminal): string {
  if (at === undefined) return '—'
  return new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short' }).format(at)
}
