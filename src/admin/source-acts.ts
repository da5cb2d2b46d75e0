/** What people do to sources: one commit each, with the version they saw. */
import { PreauError } from '../errors.ts'
import { KNOWN_SOURCES, type ListSource } from '../policy/list-source.ts'
import type { Stored } from '../store/store.ts'
import type { RouteDeps } from './deps.ts'
import { choiceField, textField } from './form.ts'
import { FormReader, FormRefused } from './form-reader.ts'
import { MAX_SOURCES, readListState } from './list-state.ts'
import { MAX_NAME, readFields, readName } from './source-form.ts'
import type { AdminTranslate } from './texts.ts'

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

async function add(deps: RouteDeps, { by, t }: Asked, source: ListSource): Promise<void> {
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
  await change(deps, asked, row, fields)
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
  fields: Partial<ListSource>,
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
  const row = await readStored(deps, asked)
  const note = { by: asked.by, action: 'source.remove', subject: row.id, at: deps.clock() }
  await deps.store.commit(note, [
    { kind: 'source', id: row.id, expects: row.version, body: null },
    { kind: 'fetch', id: row.id, body: null },
  ])
}
