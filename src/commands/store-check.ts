/** `preau store check`: whether the store can be reached, keeps what it acknowledges, and how much is in it. */
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { Kind } from '../policy/document.ts'
import { readFacts } from '../store/copy/facts.ts'
import { KINDS } from '../store/copy/kinds.ts'
import { nameOf, openReading, parsePlace } from '../store/copy/place.ts'
import { openStore } from '../store/open-store.ts'
import type { Store, StoreWarning } from '../store/store.ts'
import { warningText } from '../store/wording.ts'
import { shorten, table, type Terminal } from './terminal.ts'

const MEGABYTE = 1e6

/** False where something should be changed. Throws what is wrong where it cannot be used. */
export async function storeCheck(
  config: Config,
  terminal: Terminal,
  isJson: boolean,
): Promise<boolean> {
  const place = parsePlace('current', config)
  // Reads a whole file and makes none; a Redis is asked below.
  if (place.engine === 'sqlite') await (await openReading(place)).close()
  const store = await openStore(config)
  try {
    const askedAt = performance.now()
    const { isUp, detail = '', warnings } = await store.check()
    if (!isUp) throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail })
    const answeredMs = Math.round((performance.now() - askedAt) * 10) / 10
    const [facts, { records, lastSeq }] = await Promise.all([readFacts(place), measure(store)])
    const name = place.engine === 'sqlite' ? shorten(place.file) : nameOf(place)
    const found = { store: name, ...facts, answeredMs, records, lastSeq, warnings }
    if (isJson) terminal.printJson(found)
    else print(found, terminal)
    return warnings.length === 0
  } finally {
    await store.close()
  }
}

type Records = readonly (readonly [Kind, number])[]

async function measure(store: Store): Promise<{ records: Records; lastSeq: number }> {
  const counts = await Promise.all(
    KINDS.map(async kind => [kind, await store.count(kind)] as const),
  )
  const [last] = await store.tail({ limit: 1 })
  return { records: counts.filter(([, count]) => count > 0), lastSeq: last?.seq ?? 0 }
}

interface Found extends Awaited<ReturnType<typeof readFacts>> {
  readonly store: string
  readonly answeredMs: number
  readonly records: Records
  readonly lastSeq: number
  readonly warnings: readonly StoreWarning[]
}

function print(found: Found, { t, print: say, paint, locale }: Terminal): void {
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const { store, engine, version, bytes, answeredMs, records, lastSeq, warnings } = found
  const rows = [
    [t('store.name'), `${store} (${engine} ${version})`],
    [t('store.answers'), t('store.within', { ms: number.format(answeredMs) })],
    [t('store.size'), t('store.megabytes', { megabytes: number.format(bytes / MEGABYTE) })],
    [
      t('store.records'),
      records.map(([kind, count]) => `${kind} ${number.format(count)}`).join(', '),
    ],
    [t('store.commits'), number.format(lastSeq)],
  ]
  for (const line of table(rows)) say(line)
  say('')
  if (warnings.length === 0) say(`${paint('green', '✓')} ${t('store.sound')}`)
  for (const warning of warnings) say(`${paint('yellow', '!')} ${warningText(warning, locale)}`)
}
