/** The cause of an error, for the `detail` of a `PreauError`. */
import { causeOf, PreauError, type Words } from './errors.ts'
import { wordsOfCause } from './errors/causes.ts'

export function detailOf(error: unknown): Words {
  if (!(error instanceof PreauError)) return wordsOfCause(causeOf(error))
  const { detail } = error.params
  // Said again around itself it would be two sentences for one cause.
  if (error.code === 'PREAU_STORE_UNAVAILABLE' && detail !== undefined)
    return typeof detail === 'object' ? detail : wordsOfCause(String(detail))
  return { fr: error.text('fr'), en: error.text('en') }
}
