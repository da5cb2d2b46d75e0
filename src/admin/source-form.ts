/** The form of a source: reads and judges its fields, all of them. */
import { isHttpUrl, LIST_NAME, SOURCE_FORMATS, type ListSource } from '../policy/list-source.ts'
import type { Catalogue } from '../policy/category.ts'
import type { FormReader } from './form-reader.ts'
import type { AdminTranslate } from './texts.ts'

export const MAX_NAME = 40
export const MAX_URL = 1_000

type Fields = Pick<ListSource, 'url' | 'format' | 'category'>

export function readName(form: FormReader, t: AdminTranslate): string {
  const name = form.needed('name', MAX_NAME)
  if (!LIST_NAME.test(name)) form.fail('name', t('sources.nameWrong'))
  return name
}

/** Throws FormRefused, also for what was wrong before. */
export function readFields(form: FormReader, catalogue: Catalogue, t: AdminTranslate): Fields {
  const url = form.needed('url', MAX_URL)
  if (!isHttpUrl(url)) form.fail('url', t('sources.urlWrong'))
  const format = form.choice('format', SOURCE_FORMATS)
  const asked = form.text('category', MAX_NAME)
  const category = asked === '' ? null : asked
  if (category !== null && !catalogue.has(category))
    form.fail('category', t('sources.categoryWrong'))
  // A list of lines names no category; an archive names each of its own.
  if (format === 'lines' && category === null) form.fail('category', t('sources.categoryNeeded'))
  if (format === 'archive' && category !== null)
    form.fail('category', t('sources.categoryOfArchive'))
  form.end()
  return { url, format, category }
}
