/** The form of a source: reads and judges its fields, all of them. */
import { MAX_CREDENTIAL, splitAddress, type Credentials } from '../policy/credentials.ts'
import { LIST_NAME, MAX_SOURCE_URL, SOURCE_FORMATS } from '../policy/list-source.ts'
import type { ListSource } from '../policy/list-source.ts'
import type { Catalogue } from '../policy/category.ts'
import type { FormReader } from './form-reader.ts'
import type { AdminTranslate } from './texts.ts'

export const MAX_NAME = 40
type Fields = Pick<ListSource, 'url' | 'format' | 'category'> & {
  readonly credentials?: Credentials
}

export function readName(form: FormReader, t: AdminTranslate): string {
  const name = form.needed('name', MAX_NAME)
  if (!LIST_NAME.test(name)) form.fail('name', t('sources.nameWrong'))
  return name
}

/** Throws FormRefused, also for what was wrong before. */
export function readFields(form: FormReader, catalogue: Catalogue, t: AdminTranslate): Fields {
  const typed = form.needed('url', MAX_SOURCE_URL)
  const address = splitAddress(typed)
  if (address === undefined) form.fail('url', t('sources.urlWrong'))
  const format = form.choice('format', SOURCE_FORMATS)
  const asked = form.text('category', MAX_NAME)
  const category = asked === '' ? null : asked
  if (category !== null && !catalogue.has(category))
    form.fail('category', t('sources.categoryWrong'))
  // A list of lines names no category; an archive names each of its own.
  if (format === 'lines' && category === null) form.fail('category', t('sources.categoryNeeded'))
  if (format === 'archive' && category !== null)
    form.fail('category', t('sources.categoryOfArchive'))
  const user = form.text('user', MAX_CREDENTIAL)
  const password = form.raw('password', MAX_CREDENTIAL)
  if (user === '' && password !== '') form.fail('user', t('sources.userNeeded'))
  form.end()
  const credentials = user === '' ? address?.credentials : { user, password }
  const fields = { url: address?.url ?? typed, format, category }
  return credentials === undefined ? fields : { ...fields, credentials }
}
