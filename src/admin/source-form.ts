/** The form of a source: reads and judges its fields, in words that name the field as the page does. */
import { PreauError } from '../errors.ts'
import { isHttpUrl, LIST_NAME, SOURCE_FORMATS, type ListSource } from '../policy/list-source.ts'
import type { Catalogue } from '../policy/category.ts'
import { choiceField, textField } from './form.ts'
import type { AdminText, AdminTranslate } from './texts.ts'

export const MAX_NAME = 40
export const MAX_URL = 1_000

type Fields = Pick<ListSource, 'url' | 'format' | 'category'>

/** Throws PREAU_INVALID_INPUT. */
export function readName(body: unknown, t: AdminTranslate): string {
  const name = textField(body, 'name', MAX_NAME * 2)
  if (!LIST_NAME.test(name)) throw refused(t, 'sources.name', 'sources.nameWrong')
  return name
}

/** Throws PREAU_INVALID_INPUT. */
export function readFields(body: unknown, catalogue: Catalogue, t: AdminTranslate): Fields {
  const url = textField(body, 'url', MAX_URL)
  if (!isHttpUrl(url)) throw refused(t, 'sources.url', 'sources.urlWrong')
  const format = choiceField(body, 'format', SOURCE_FORMATS)
  const asked = textField(body, 'category', MAX_NAME)
  const category = asked === '' ? null : asked
  if (category !== null && !catalogue.has(category)) {
    throw refused(t, 'sources.category', 'sources.categoryWrong')
  }
  // A list of lines names no category; an archive names each of its own.
  if (format === 'lines' && category === null) {
    throw refused(t, 'sources.category', 'sources.categoryNeeded')
  }
  if (format === 'archive' && category !== null) {
    throw refused(t, 'sources.category', 'sources.categoryOfArchive')
  }
  return { url, format, category }
}

export function refused(t: AdminTranslate, field: AdminText, detail: AdminText): PreauError {
  return new PreauError('PREAU_INVALID_INPUT', { field: t(field), detail: t(detail) })
}
