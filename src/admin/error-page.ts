/** The one place that turns an error into an answer: codes to words, and nothing of the inside on a 5xx. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, hasCode, PreauError } from '../errors.ts'
import { FaultLog } from '../fault-log.ts'
import { wantsJson } from './access.ts'
import type { AdminDeps } from './deps.ts'
import { isUnsafe } from './csrf.ts'
import { frame } from './page.ts'
import { adminTexts } from './texts.ts'

/** Fastify's own refusals in our words. */
const FROM_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'PREAU_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PREAU_TOO_LARGE',
}

const RETRY_AFTER_S = 10

export function registerErrorPages(app: FastifyInstance, deps: AdminDeps): void {
  const { logger } = deps
  const faults = new FaultLog({ logger, level: 'error', text: 'the admin app could not answer' })
  app.addHook('onClose', async () => faults.close())
  app.setErrorHandler<FastifyError | PreauError>(async (error, request, reply) => {
    const known = nameError(error)
    const t = adminTexts(request.locale)
    const isStoreDown = known === undefined && isUnavailable(error)
    const status = known?.status ?? (isStoreDown ? 503 : 500)
    if (status >= 500) faults.noteError(error)
    const text = known?.text(request.locale) ?? t(isStoreDown ? 'error.store' : 'error.internal')
    reply.code(status)
    if (isStoreDown) reply.header('retry-after', RETRY_AFTER_S)
    const code = known?.code ?? (isStoreDown ? 'PREAU_STORE_UNAVAILABLE' : 'PREAU_INTERNAL')
    if (wantsJson(request)) return reply.send({ error: code, text })
    if (known?.code === 'PREAU_NOT_FOUND')
      return showProblem(request, reply, deps, notFound(request))
    const title = t(isStoreDown ? 'error.storeTitle' : 'error.title')
    const again = isStoreDown ? tryAgain(request) : undefined
    return showProblem(request, reply, deps, { title, text, status, ...again })
  })
  app.setNotFoundHandler((request, reply) => {
    reply.code(404)
    return showProblem(request, reply, deps, notFound(request))
  })
}

/** The status of a store that fails names its file: people read a plain sentence, the log has the rest. */
function nameError(error: FastifyError | PreauError): PreauError | undefined {
  if (error instanceof PreauError) {
    const isInside = error.status >= 500 && error.code !== 'PREAU_OVERLOADED'
    return isInside ? undefined : error
  }
  const code = FROM_FASTIFY[error.code]
  if (code !== undefined) return new PreauError(code)
  const { statusCode = 500 } = error
  return statusCode < 500 ? new PreauError('PREAU_BAD_REQUEST') : undefined
}

const isUnavailable = (error: Error): boolean => hasCode(error, 'PREAU_STORE_UNAVAILABLE')

interface Problem {
  readonly title: string
  readonly text: string
  readonly status: number
  /** Where the same is asked for again, and the form that is sent again. */
  readonly again?: string
  readonly fields?: readonly (readonly [name: string, value: string])[]
}

function notFound(request: FastifyRequest): Problem {
  const t = adminTexts(request.locale)
  return { title: t('error.notFoundTitle'), text: t('error.notFoundText'), status: 404 }
}

/** What was typed must not be lost, and must not travel in a page where it is a password. */
function tryAgain({ method, url, body }: FastifyRequest): Pick<Problem, 'again' | 'fields'> {
  if (!/^\/(?!\/)/.test(url)) return {}
  if (!isUnsafe(method)) return { again: url }
  const fields = Object.entries((body ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().map(item => [name, String(item)] as const),
  )
  return fields.some(([name]) => /pass/i.test(name)) ? {} : { again: url, fields }
}

/** Works also when the store does not. */
async function showProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: AdminDeps,
  { title, ...problem }: Problem,
): Promise<FastifyReply> {
  const city = deps.current.snapshot.city.name
  return reply.view('error', frame(request, deps, { title, data: { ...problem, city } }, undefined))
}
