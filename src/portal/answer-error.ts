/** The one place that turns an error into an answer of the portal: a page for people, a line of JSON for our script. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../errors.ts'
import type { FaultLog } from '../fault-log.ts'
import { negotiateLocale } from '../i18n.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import { returnUrl } from './origin.ts'
import { portalTexts, type PortalKey } from './texts.ts'
import { STYLE } from './views.ts'

const RETRY_AFTER_S = { 429: 60, 503: 10 } as const
const TEXTS = {
  400: ['error.400', 'error.400.text'],
  403: ['error.403', 'error.403.text'],
  404: ['error.404', 'error.404.text'],
  429: ['error.429', 'error.429.text'],
  503: ['error.503', 'error.503.text'],
} as const satisfies Record<number, readonly [PortalKey, PortalKey]>

/** `current`: whom to call stands in the policy. `faults`: those that are ours, and not of who asks. */
export const createAnswerError =
  (current: Current, faults: FaultLog) =>
  (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    if (statusOf(error) === 503) faults.noteError(error)
    return answerError(error, request, reply, current)
  }

async function answerError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
  current: Current,
): Promise<unknown> {
  const status = statusOf(error)
  const locale = negotiateLocale(request.headers['accept-language'])
  const t = portalTexts(locale)
  const [title] = textsOf(status)
  reply.code(status)
  if (status === 429 || status === 503) reply.header('retry-after', RETRY_AFTER_S[status])
  // A body that was not read to its end would be taken for the next request.
  if (!request.raw.complete) reply.header('connection', 'close')
  const isDown = status === 503
  const said = textOf(error, status, request)
  if (request.headers.accept?.includes('application/json')) {
    // Our script keeps the click, and sends it again by itself.
    const unsent = { state: 'unsent', text: t('state.unsent'), hint: t('state.unsent.hint') }
    return reply.send(isDown ? unsent : { text: t(said) })
  }
  const refusal = request.getDecorator<Refusal | undefined>('refusal')
  return reply.viewAsync('notice', {
    locale,
    t,
    css: STYLE,
    title: t(title),
    heading: t(title),
    why: t(said),
    more: isDown ? t('error.503.more') : undefined,
    city: isDown ? current.snapshot.city : undefined,
    backText: t(isDown ? 'error.retry' : 'error.back'),
    back: refusal && status !== 404 ? returnUrl(request.headers.referer, refusal) : undefined,
  })
}

const textsOf = (status: number): readonly [PortalKey, PortalKey] =>
  TEXTS[status as keyof typeof TEXTS] ?? TEXTS[400]

/** What can be done depends on the limit that was reached. */
const LIMITS: Readonly<Record<string, PortalKey>> = {
  pendingPerPc: 'error.429.pendingPerPc',
  pendingPerSite: 'error.429.pendingPerSite',
  warningsPerPc: 'error.429.warningsPerPc',
}

function textOf(error: Error, status: number, { method, url }: FastifyRequest): PortalKey {
  const [, text] = textsOf(status)
  const limit = error instanceof PreauError ? error.params['limit'] : undefined
  if (status === 429) return (typeof limit === 'string' && LIMITS[limit]) || text
  if (status !== 503) return text
  // Only a form has something to send.
  if (method !== 'POST') return 'error.503.page'
  return url.endsWith('/continue') ? 'error.503.continue' : text
}

// What is unknown is a fault of ours: the person is told that nothing was recorded, the log is told what happened.
function statusOf(error: FastifyError | Error): number {
  if (error instanceof PreauError) return error.status === 409 ? 503 : error.status
  const status = 'statusCode' in error ? error.statusCode : undefined
  return status !== undefined && status >= 400 && status < 500 ? status : 503
}
