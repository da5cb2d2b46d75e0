/**
 * Every failure that Préau names: its HTTP status and what a person reads. Code compares codes, never messages.
 * French comes first for people; the English text is the `message` seen in logs. The tables stand in `errors/`, by area.
 */
import { withCommand } from './command-name.ts'
import { ADMIN_ERRORS } from './errors/admin.ts'
import { AUTHORITY_ERRORS } from './errors/authority.ts'
import { COMMON_ERRORS } from './errors/common.ts'
import { LISTS_ERRORS } from './errors/lists.ts'
import { PROXY_ERRORS } from './errors/proxy.ts'
import { STORE_ERRORS } from './errors/store.ts'
import type { Words } from './errors/table.ts'
import { wordsOfCause } from './errors/causes.ts'

export type { Words } from './errors/table.ts'

export const ERRORS = {
  ...COMMON_ERRORS,
  ...STORE_ERRORS,
  ...LISTS_ERRORS,
  ...AUTHORITY_ERRORS,
  ...PROXY_ERRORS,
  ...ADMIN_ERRORS,
} as const

export type ErrorCode = keyof typeof ERRORS
type Params = Readonly<Record<string, string | number | Words>>

function fill(template: string, params: Params, locale: 'fr' | 'en'): string {
  const filled = template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name] ?? whole
    return typeof value === 'object' ? value[locale] : String(value)
  })
  return withCommand(filled)
}

/** A failure with a code of the tables. `message` is English, for logs; `text` is what a person reads. */
export class PreauError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly params: Params

  constructor(code: ErrorCode, params: Params = {}, options?: ErrorOptions) {
    super(fill(ERRORS[code].en, params, 'en'), options)
    this.name = 'PreauError'
    this.code = code
    this.status = ERRORS[code].status
    this.params = params
  }

  text(locale: 'fr' | 'en'): string {
    const { detail } = this.params
    const params =
      typeof detail === 'string' ? { ...this.params, detail: wordsOfCause(detail) } : this.params
    return fill(ERRORS[this.code][locale], params, locale)
  }
}

/** Whether it is one of these failures. */
export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is PreauError =>
  error instanceof PreauError && codes.includes(error.code)

/** The short cause of an unknown error, for the `detail` of a `PreauError`. */
export function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
