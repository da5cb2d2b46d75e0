/** Reads a form to its end before it is refused: whoever typed it is told all that is wrong at once, field by field. */
import { type ErrorCode, PreauError } from '../errors.ts'
import type { Locale } from '../i18n.ts'
import { UNPRINTABLE } from '../policy/unprintable.ts'
import type { AdminTranslate } from './texts.ts'

/** What is wrong, by the name of the field. */
export type Faults = ReadonlyMap<string, string>

/** Some fields are wrong. */
export class FormRefused extends PreauError {
  readonly faults: Faults

  constructor(faults: Faults) {
    const [field = '', detail = ''] = faults.entries().next().value ?? []
    super('PREAU_INVALID_INPUT', { field, detail })
    this.faults = faults
  }
}

export class FormReader {
  readonly #body: unknown
  readonly #t: AdminTranslate
  readonly #faults = new Map<string, string>()

  constructor(body: unknown, t: AdminTranslate) {
    this.#body = body
    this.#t = t
  }

  /** As typed (a password). Empty where it is missing, came twice or is too long. */
  raw(name: string, max: number): string {
    const isForm = typeof this.#body === 'object' && this.#body !== null
    const value: unknown = isForm ? Reflect.get(this.#body, name) : undefined
    if (typeof value !== 'string') {
      if (value !== undefined) this.fail(name, this.#t('form.twice'))
      return ''
    }
    if (value.length <= max) return value
    this.fail(name, this.#t('form.tooLong', { max }))
    return ''
  }

  /** A line of text without what cannot be printed. */
  text(name: string, max: number): string {
    return this.raw(name, max).replace(UNPRINTABLE, ' ').trim()
  }

  /** As `text`; what is empty is refused. */
  needed(name: string, max: number): string {
    const value = this.text(name, max)
    if (value === '') this.fail(name, this.#t('form.needed'))
    return value
  }

  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const value = this.raw(name, 64)
    const found = choices.find(choice => choice === value)
    if (found === undefined) this.fail(name, this.#t('form.choose'))
    return found ?? choices[0]
  }

  /** The first fault of a field is the one that is shown. */
  fail(name: string, text: string): void {
    if (!this.#faults.has(name)) this.#faults.set(name, text)
  }

  get isWrong(): boolean {
    return this.#faults.size > 0
  }

  /** With all that was wrong. */
  refuse(): never {
    throw new FormRefused(this.#faults)
  }

  /** Throws FormRefused where anything was wrong. */
  end(): void {
    if (this.isWrong) this.refuse()
  }
}

/** The field that a failure of the work behind a form is about. */
const FIELDS: Partial<Record<ErrorCode, string>> = {
  PREAU_USER_NAME: 'name',
  PREAU_USER_EXISTS: 'name',
  PREAU_PASSWORD_LENGTH: 'password',
  PREAU_PASSWORD_WRONG: 'current',
}

/** What is wrong with which field; empty where no single field is at fault. */
export function faultsOf(error: PreauError, locale: Locale): Faults {
  if (error instanceof FormRefused) return error.faults
  const field = FIELDS[error.code]
  return new Map(field === undefined ? [] : [[field, error.text(locale)]])
}
