/** What people do to sources: one commit each, with the version they saw. */
import { PreauError } from '../errors.ts'
import { KNOWN_SOURCES, type SourceWithCredentials } from '../policy/list-source.ts'
import { removedId, type Removed } from '../policy/removed.ts'
import type { Stored } from '../store/store.ts'
import type { RouteDeps } from './deps.ts'
import { choiceField, optionalText, textField } from './form.ts'
import { FormReader, FormRefused } from './form-reader.ts'
import { MAX_SOURCES, readListState } from './list-state.ts'
import { MAX_NAME, readFields, readName } from './source-form.ts'
import type { AdminTranslate } from './texts.ts'
import { leftMs } from './undo.ts'

interface Asked {
  /** Of the path; empty where it has none. */
  readonly name: string
  readonly by: string
  readonly body: unknown
  readonly t: AdminTranslate
}
export type SourceAct = (deps: RouteDeps, asked: Asked) => Promise<void>

export const addTyped: SourceAct = async (deps, asked) => {
  const { body, t } = asked
  const form = new FormReader(body, t)
  const name = readName(form, t)
  await add(deps, asked, { name, ...readFields(form, deps.catalogue, t), enabled: true })
}

export const addKnown: SourceAct = async (deps, asked) => {
  const name = textField(asked.body, 'name', MAX_NAME)
  const source = KNOWN_SOURCES.find(known => known.name === name)
  if (source === undefined) throw new PreauError('PREAU_NOT_FOUND')
  await add(deps, asked, source)
}

async function add(
  deps: RouteDeps,
  { by, t }: Asked,
  source: SourceWithCredentials,
): Promise<void> {
  const { store, clock } = deps
  const { sources, stored } = await readListState(deps)
  if (sources.some(({ name }) => name === source.name)) {
    throw new FormRefused(new Map([['name', t('sources.nameTaken')]]))
  }
  if (stored.size >= MAX_SOURCES) throw new FormRefused(new Map([['name', t('sources.tooMany')]]))
  const at = clock()
  const detail = { url: source.url, category: source.category }
  await store.commit({ by, action: 'source.add', subject: source.name, detail, at }, [
    { kind: 'source', id: source.name, expects: 'absent', body: { ...source, by, at } },
  ])
}

/** The source as the page showed it: not one of the configuration, and of the version in the form. */
async function readStored(
  { store, config }: RouteDeps,
  { name, body }: Asked,
): Promise<Stored<'source'>> {
  const isFromConfig = config.lists.sources.some(source => source.name === name)
  const row = isFromConfig ? undefined : await store.get('source', name)
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  if (String(row.version) === textField(body, 'version', 20)) return row
  throw new PreauError('PREAU_CONFLICT', { kind: 'source', id: name })
}

export const changeSource: SourceAct = async (deps, asked) => {
  const row = await readStored(deps, asked)
  const fields = readFields(new FormReader(asked.body, asked.t), deps.catalogue, asked.t)
  const { credentials: known, ...rest } = row.body
  // What was given to one server is not for another, nor for who waits there.
  const isSamePlace = new URL(row.body.url).origin === new URL(fields.url).origin
  const isForgotten = optionalText(asked.body, 'credentials') === 'forget'
  const kept = known !== undefined && isSamePlace && !isForgotten ? { credentials: known } : {}
  await change(deps, asked, { ...row, body: rest }, { ...kept, ...fields })
}

export const switchSource: SourceAct = async (deps, asked) => {
  const row = await readStored(deps, asked)
  const state = choiceField(asked.body, 'state', ['enabled', 'disabled'])
  await change(deps, asked, row, { enabled: state === 'enabled' })
}

async function change(
  { store, clock }: RouteDeps,
  { by }: Asked,
  row: Stored<'source'>,
  fields: Partial<SourceWithCredentials>,
): Promise<void> {
  const at = clock()
  const body = { ...row.body, ...fields, by, at }
  const detail = { url: body.url, category: body.category, enabled: body.enabled }
  await store.commit({ by, action: 'source.change', subject: row.id, detail, at }, [
    { kind: 'source', id: row.id, expects: row.version, body },
  ])
}

/** The list stays as it is; what is known of its fetches goes, so that nothing complains of a source that is no more. */
export const removeSource: SourceAct = async (deps, asked) => {
  const { store, clock } = deps
  const row = await readStored(deps, asked)
  const fetch = (await store.get('fetch', row.id))?.body
  const [by, at] = [asked.by, clock()]
  const kept = fetch === undefined ? {} : { fetch }
  const body: Removed = { kind: 'source', source: row.body, by, at, ...kept }
  await store.commit({ by, action: 'source.remove', subject: row.id, at }, [
    { kind: 'source', id: row.id, expects: row.version, body: null },
    { kind: 'fetch', id: row.id, body: null },
    { kind: 'removed', id: removedId('source', row.id), body },
  ])
}

/** Puts back what the same person has just removed. Throws PREAU_UNDO_TOO_LATE. */
export const restoreSource: SourceAct = async ({ store, clock }, { name, by }) => {
  const row = await store.get('removed', removedId('source', name))
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const [removed, at] = [row.body, clock()]
  const isThere = (await store.get('source', name)) !== undefined
  if (removed.kind !== 'source' || leftMs(removed, by, at) === 0 || isThere) {
    throw new PreauError('PREAU_UNDO_TOO_LATE')
  }
  const { source, fetch } = removed
  await store.commit({ by, action: 'source.restore', subject: name, at }, [
    { kind: 'source', id: name, expects: 'absent', body: source },
    ...(fetch === undefined ? [] : [{ kind: 'fetch', id: name, body: fetch } as const]),
    { kind: 'removed', id: row.id, expects: row.version, body: null },
  ])
}
