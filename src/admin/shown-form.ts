/** A form as a page shows it again after it was refused: what was typed, and beside each field what is wrong with it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../errors.ts'
import { faultsOf, type Faults } from './form-reader.ts'
import type { Notice } from './page.ts'
import { adminTexts } from './texts.ts'

export interface ShownForm {
  /** Which one, where a page has several. */
  readonly id: string
  /** What was typed, or `otherwise` where the form is fresh. */
  readonly value: (name: string, otherwise?: string) => string
  readonly fault: (name: string) => { readonly id: string; readonly text: string } | undefined
  /** The attributes of the control: its fault and its `hints` (ids) are read out with it, and it gets the focus. */
  readonly marks: (name: string, ...hints: readonly string[]) => string
}

/** Never sent back: a page must not hold them. */
const SECRETS = new Set(['password', 'repeat', 'current', '_csrf'])

export function showForm(body: unknown = {}, faults: Faults = new Map(), id = ''): ShownForm {
  const [first] = faults.keys()
  const typed = typeof body === 'object' && body !== null ? body : {}
  return {
    id,
    value(name, otherwise = '') {
      const value: unknown = SECRETS.has(name) ? undefined : Reflect.get(typed, name)
      return typeof value === 'string' ? value : otherwise
    },
    fault(name) {
      const text = faults.get(name)
      return text === undefined ? undefined : { id: faultId(id, name), text }
    },
    marks(name, ...hints) {
      const isWrong = faults.has(name)
      const described = [...(isWrong ? [faultId(id, name)] : []), ...hints].join(' ')
      return [
        described === '' ? '' : ` aria-describedby="${described}"`,
        isWrong ? ' aria-invalid="true"' : '',
        name === first ? ' autofocus' : '',
      ].join('')
    },
  }
}

/** An id has no spaces, and the name of an account may; one form of a page has faults. */
const faultId = (form: string, name: string): string =>
  [form.replace(/[^\w-]/g, '_'), name, 'fault'].filter(part => part !== '').join('-')

export interface Refused {
  readonly form: ShownForm
  readonly notice: Notice
}

/**
 * What a page shows after a form of its own was refused; sets the status. Throws the error again where it is none that the
 * person at the form can mend there.
 */
export function refuseForm(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  id = '',
): Refused {
  if (!(error instanceof PreauError) || !isForForm(error)) throw error
  reply.code(error.status)
  const faults = faultsOf(error, request.locale)
  const text =
    faults.size === 0
      ? error.text(request.locale)
      : adminTexts(request.locale)(faults.size === 1 ? 'form.fault.1' : 'form.fault.n')
  return { form: showForm(request.body, faults, id), notice: { kind: 'problem', text } }
}

/** One that can be sent again as it is, or once it is mended. */
const isForForm = ({ code, status }: PreauError): boolean =>
  code === 'PREAU_OVERLOADED' || (status < 500 && status !== 404)
