/** `preau lists fetch`: asks the sources now, in the foreground, as the schedule does at night. */
import { readListState } from '../admin/list-state.ts'
import { isQuietHour } from '../admin/source-view.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled, type Installed } from '../install.ts'
import { installAuthority } from '../install-authority.ts'
import type { KnownSource, ListSource } from '../policy/list-source.ts'
import { fetchSource, type OnFetchProgress } from '../updates/fetch-source.ts'
import { printOutcome } from './list-report.ts'
import { printable, type Terminal } from './terminal.ts'

const MEGABYTE = 1e6
const PROGRESS_MS = 100

/** Without a name: all that are enabled. One that fails does not keep the others from their turn. */
export async function listsFetch(
  config: Config,
  terminal: Terminal,
  name: string | undefined,
): Promise<void> {
  await withInstalled(config, async installed => {
    const { sources } = await readListState({ ...installed, config, clock: Date.now })
    const asked =
      name === undefined
        ? sources.filter(({ enabled }) => enabled)
        : [namedSource(sources, name, terminal)]
    if (asked.length === 0)
      throw new PreauError('PREAU_USAGE', { detail: terminal.t('sources.none') })
    const failures: unknown[] = []
    for (const source of asked) {
      await fetchNow(config, terminal, installed, source).catch((error: unknown) => {
        terminal.progress('')
        failures.push(error)
      })
    }
    const [last, ...others] = failures.toReversed()
    for (const error of others.toReversed()) sayFailure(error, terminal)
    if (last !== undefined) throw last
  })
}

/** Throws PREAU_USAGE naming the sources that there are. */
export function namedSource(
  sources: readonly KnownSource[],
  name: string,
  { t }: Terminal,
): KnownSource {
  const source = sources.find(known => known.name === name)
  if (source !== undefined) return source
  const names = sources.map(known => known.name).join(', ') || '—'
  throw new PreauError('PREAU_USAGE', {
    detail: t('sources.notFound', { name: printable(name), names }),
  })
}

export async function fetchNow(
  config: Config,
  terminal: Terminal,
  { store, catalogue }: Installed,
  source: ListSource,
): Promise<void> {
  const { t, print, progress } = terminal
  const clock = Date.now
  if (isQuietHour(source.url, clock())) print(t('sources.quiet', { name: source.name }))
  const seed = (await installAuthority(config, store, clock())).fingerprint256
  const outcome = await fetchSource(
    { store, config, catalogue, clock, seed },
    { source, by: 'cli', mode: 'auto', onProgress: showProgress(terminal) },
  )
  progress('')
  if (outcome.update === undefined) print(t('sources.unchanged', { name: source.name }))
  else printOutcome(outcome.update, catalogue, terminal)
  if (outcome.checksum !== undefined) print(t(`sources.checksum.${outcome.checksum}`))
}

function sayFailure(error: unknown, { print, locale }: Terminal): void {
  print(printable(error instanceof PreauError ? error.text(locale) : String(error)))
}

function showProgress({ t, progress }: Terminal): OnFetchProgress {
  let shownAt = -Infinity
  let last = ''
  return (done, { phase, total }) => {
    const now = performance.now()
    if (phase === last && now - shownAt < PROGRESS_MS) return
    shownAt = now
    last = phase
    const amount =
      total === undefined
        ? t('sources.amount', { done: size(done) })
        : t('sources.amountOf', { done: size(done), total: size(total) })
    progress(`${t(`sources.phase.${phase}`)} ${done > 0 ? amount : ''}`)
  }
}

const size = (bytes: number): string => (bytes / MEGABYTE).toFixed(bytes < MEGABYTE * 10 ? 1 : 0)
