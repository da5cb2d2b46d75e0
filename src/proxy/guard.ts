/** One place where whatever is thrown while a request is taken becomes an answer. */
import { PreauError } from '../errors.ts'

export function guard(fail: (error: PreauError) => void, run: () => void): void {
  try {
    run()
  } catch (error) {
    fail(asPreauError(error))
  }
}

export function asPreauError(error: unknown): PreauError {
  return error instanceof PreauError
    ? error
    : new PreauError('PREAU_BAD_REQUEST', {}, { cause: error })
}
