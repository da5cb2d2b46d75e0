/** What can go wrong with Redis, in the codes of `errors.ts`. */
import { causeOf, PreauError } from '../errors.ts'
import { wordsOfCause } from '../errors/causes.ts'

/** Redis has answered, with an error: nothing was done. */
export class RedisRefusal extends Error {}

/** It was sent and no answer came: it may have been done. */
export class RedisSilence extends Error {
  constructor(cause: unknown) {
    super(causeOf(cause))
  }
}

/** Only its words: ioredis hangs the command on it, with a password or a record, and errors are logged. */
export function withoutCommand(error: unknown): Error {
  return error instanceof PreauError ? error : new Error(causeOf(error))
}

export function unavailable(reason: unknown): PreauError {
  if (!(reason instanceof PreauError))
    return new PreauError('PREAU_STORE_UNAVAILABLE', { detail: causeOf(reason) }, { cause: reason })
  if (reason.code === 'PREAU_STORE_UNAVAILABLE') return reason
  const detail = { fr: reason.text('fr'), en: reason.message }
  return new PreauError('PREAU_STORE_UNAVAILABLE', { detail }, { cause: reason })
}

/** The error of a read: sent or not, nothing was changed. */
export function readingError(error: unknown): PreauError {
  return error instanceof PreauError ? error : unavailable(error)
}

/** The error of a write, which says where it may have been done all the same. */
export function writingError(error: unknown): PreauError {
  return error instanceof RedisSilence ? uncertain(error.message, error) : readingError(error)
}

export function failReading(error: unknown): never {
  throw readingError(error)
}

export function failWriting(error: unknown): never {
  throw writingError(error)
}

/** A write that Redis may have done, and that is not acknowledged. */
export function uncertain(reason: string, error?: unknown): PreauError {
  const detail = {
    fr: `${wordsOfCause(reason).fr} ; l’enregistrement a peut-être eu lieu`,
    en: `${reason}; it may have been written all the same`,
  }
  return new PreauError('PREAU_STORE_UNAVAILABLE', { detail }, { cause: error })
}
