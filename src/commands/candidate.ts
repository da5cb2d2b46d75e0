/** `preau lists diff | activate | discard | rollback`: the update that waits, and the way back. */
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import type { Catalogue } from '../policy/category.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import { activate, rollBack, type ListsDocument } from '../policy/lists.ts'
import type { HoldReason, Rehearsal } from '../policy/rehearsal.ts'
import type { Store, Stored } from '../store/store.ts'
import { printable, table, type Terminal } from './terminal.ts'

const MAX_ROWS = 60
const MAX_HOLDS = 10

export async function listsDiff(
  config: Config,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  await withInstalled(config, async ({ store, catalogue }) => {
    const { body } = await readCandidate(store)
    if (isJson) {
      terminal.printJson(body)
      return
    }
    printHolds(body.holds, catalogue, terminal)
    printRehearsal(body.rehearsal, catalogue, terminal)
    terminal.print(terminal.t('candidate.next'))
  })
}

export async function listsActivate(config: Config, { t, print }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const candidate = await readCandidate(store)
    const lists = await readLists(store)
    const at = Date.now()
    const body = activate(lists.body, candidate.body, 'cli', at)
    const { list, rehearsal } = candidate.body
    const detail = { hosts: body.hosts, closes: rehearsal.closes, opens: rehearsal.opens }
    await store.commit({ by: 'cli', action: 'lists.activate', subject: list, detail, at }, [
      { kind: 'lists', id: CURRENT, expects: lists.version, body },
      { kind: 'candidate', id: CURRENT, expects: candidate.version, body: null },
    ])
    print(t('candidate.activated'))
  })
}

export async function listsDiscard(config: Config, { t, print }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { body, version } = await readCandidate(store)
    const note = { by: 'cli', action: 'lists.discard', subject: body.list, at: Date.now() }
    await store.commit(note, [{ kind: 'candidate', id: CURRENT, expects: version, body: null }])
    print(t('candidate.discarded'))
  })
}

/** Goes back to the version before: its index stands ready. What waits was tried against the version that goes. */
export async function listsRollback(config: Config, { t, print, locale }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const lists = await readLists(store)
    const candidate = await store.get('candidate', CURRENT)
    const at = Date.now()
    const body = rollBack(lists.body, 'cli', at)
    const changes: Change[] = [{ kind: 'lists', id: CURRENT, expects: lists.version, body }]
    if (candidate !== undefined)
      changes.push({ kind: 'candidate', id: CURRENT, expects: candidate.version, body: null })
    const detail = { hosts: body.hosts }
    await store.commit({ by: 'cli', action: 'lists.rollback', detail, at }, changes)
    const format = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short' })
    print(t('lists.rolledBack', { date: format.format(body.builtAt) }))
  })
}

async function readCandidate(store: Store): Promise<Stored<'candidate'>> {
  const candidate = await store.get('candidate', CURRENT)
  if (candidate === undefined) throw new PreauError('PREAU_NO_CANDIDATE')
  return candidate
}

async function readLists(store: Store): Promise<Stored<'lists'> & { body: ListsDocument }> {
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
  return lists
}

/** Why an update waits, one line each. */
export function printHolds(
  holds: readonly HoldReason[],
  catalogue: Catalogue,
  { t, print, locale, paint }: Terminal,
): void {
  for (const hold of holds.slice(0, MAX_HOLDS)) {
    const params: Record<string, string | number> =
      'category' in hold
        ? {
            category: catalogue.get(hold.category)?.label[locale] ?? hold.category,
            percent: 'percent' in hold ? hold.percent : 0,
          }
        : hold.kind === 'seen'
          ? { closes: hold.closes, opens: hold.opens }
          : {}
    print(paint('yellow', `! ${t(`hold.${hold.kind}`, params)}`))
  }
  if (holds.length > MAX_HOLDS)
    print(paint('yellow', `! ${t('hold.more', { count: holds.length - MAX_HOLDS })}`))
}

/** What an update changes: the categories, then the hosts of this city. */
export function printRehearsal(
  rehearsal: Rehearsal,
  catalogue: Catalogue,
  { t, print, locale, paint }: Terminal,
): void {
  const number = new Intl.NumberFormat(locale)
  const label = (id: string): string => catalogue.get(id)?.label[locale] ?? id
  const { categories, seen, closes, warns, opens, hostsSeen, days } = rehearsal
  if (categories.length === 0) print(t('diff.none'))
  else {
    const header = (['category', 'before', 'after', 'added', 'removed', 'examples'] as const).map(
      key => t(`diff.${key}`),
    )
    const rows = categories.slice(0, MAX_ROWS).map(change => [
      label(change.category),
      number.format(change.before),
      number.format(change.after),
      `+${number.format(change.added)}`,
      `−${number.format(change.removed)}`,
      [
        ...change.addedSamples.slice(0, 2).map(host => `+${host}`),
        ...change.removedSamples.slice(0, 2).map(host => `−${host}`),
        ...(change.pages === undefined
          ? []
          : [
              t('diff.pages', {
                added: number.format(change.pages.added),
                removed: number.format(change.pages.removed),
              }),
            ]),
      ].join(' '),
    ])
    for (const line of table([header, ...rows], new Set([1, 2, 3, 4]))) print(line)
  }
  print('')
  print(
    paint('bold', t('diff.seen', { days, hosts: number.format(hostsSeen), closes, warns, opens })),
  )
  const rows = seen
    .slice(0, MAX_ROWS)
    .map(change => [
      t(`diff.${change.effect}`),
      printable(change.host),
      t('diff.exchanges', { count: number.format(change.exchanges) }),
      change.profiles.join(', '),
      [
        ...(change.sites ?? []),
        change.listed === 'page' ? t('diff.page') : '',
        change.category === undefined ? '' : label(change.category),
        change.isGranted ? t('diff.granted') : '',
      ]
        .filter(text => text !== '')
        .join(' · '),
    ])
  if (rows.length > 0) for (const line of table(rows)) print(`  ${line}`)
}
