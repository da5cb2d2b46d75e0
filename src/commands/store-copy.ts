/** `preau store copy`: everything that is kept moves to another store, or is backed up. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { authorityDir } from '../install-authority.ts'
import { copyStore, type OnProgress } from '../store/copy/copy.ts'
import { nameOf, openReading, openWriting, parsePlace, type Place } from '../store/copy/place.ts'
import { shorten, type Terminal } from './terminal.ts'

const SHOWN_DIGITS = 16
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Throws PREAU_STORE_NOT_EMPTY, _COPY_DIFFERS and what opening a store throws; the target is then no store. */
export async function storeCopy(
  config: Config,
  terminal: Terminal,
  from: string,
  to: string,
): Promise<void> {
  const { t, print, progress, locale } = terminal
  const [source, target] = [parsePlace(from, config), parsePlace(to, config)]
  const startedAt = performance.now()
  const reading = await openReading(source)
  const writing = await openWriting(target, config).catch(async (error: unknown) => {
    await reading.close()
    throw error
  })
  const stop = new AbortController()
  const onSignal = (): void => {
    stop.abort(new PreauError('PREAU_USAGE', { detail: t('store.stopped') }))
  }
  for (const name of SIGNALS) process.once(name, onSignal)
  const onProgress: OnProgress = (phase, share) =>
    progress(t(`store.${phase}`, { percent: Math.floor(share * 100) }))
  const copied = await copyStore(reading, writing, { onProgress, signal: stop.signal }).finally(
    () => {
      progress('')
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  )
  const format = new Intl.NumberFormat(locale)
  print(
    t('store.copied', {
      records: format.format(copied.records),
      audit: format.format(copied.audit),
      seconds: ((performance.now() - startedAt) / 1_000).toFixed(1),
      target: shownName(target),
      digest: copied.digest.slice(0, SHOWN_DIGITS),
    }),
  )
  const lists = shorten(join(config.dataDir, 'lists'))
  if (target.engine === 'redis') {
    print(t('store.use', { store: nameOf(target) }))
    print(t('store.lists', { lists }))
  } else if (!target.isOwn) {
    print(t('store.notInside', { ca: shorten(authorityDir(config)), lists }))
  }
}

const shownName = (place: Place): string =>
  place.engine === 'sqlite' ? shorten(place.file) : nameOf(place)
