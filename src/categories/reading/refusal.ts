/** How a source is refused: whole, and named as the person wrote it. */
import { detailOf } from '../../error-detail.ts'
import { PreauError, type Words } from '../../errors.ts'

export const refused = (source: string, detail: Words): PreauError =>
  new PreauError('PREAU_LIST_REFUSED', { file: source, detail })

export const unreadable = (source: string, error: unknown): PreauError =>
  error instanceof PreauError
    ? error
    : new PreauError(
        'PREAU_FILE_UNREADABLE',
        { file: source, detail: detailOf(error) },
        { cause: error },
      )
