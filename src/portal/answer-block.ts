/** The answer to any request to a refused origin: the block page, or one line where no person looks. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Limits } from '../config.ts'
import { negotiateLocale } from '../i18n.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'
import { describeBlockPage, describeShort } from './block-page.ts'
import { createPatientReader } from './patient-reader.ts'
import { describeStanding } from './standing.ts'
import { isSubResource } from './sub-resource.ts'

export interface BlockAnswerDeps {
  readonly store: Store
  readonly current: Current
  readonly clock: () => number
  readonly limits: Pick<Limits, 'acknowledgeMinutes'>
}

/** Sets the status and the type, and answers the body. */
export type BlockAnswer = (
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: Refusal,
) => Promise<string>

export function createBlockAnswer(deps: BlockAnswerDeps): BlockAnswer {
  const { store, current, clock, limits } = deps
  const read = createPatientReader(store)
  return async ({ headers }, reply, refusal) => {
    const locale = negotiateLocale(headers['accept-language'])
    reply.code(403)
    if (isSubResource(headers)) {
      const text = describeShort(refusal, current.snapshot, locale)
      // No frame-ancestors here: the line may show inside a frame.
      reply.header('content-security-policy', "default-src 'none'")
      reply.type('text/plain; charset=utf-8')
      return `${text}\n`
    }
    const latest = refusal.verdict.requestable ? await read(refusal) : undefined
    const { snapshot } = current
    const now = clock()
    const standing = describeStanding(latest, refusal, snapshot, now, locale)
    const { acknowledgeMinutes } = limits
    return reply.viewAsync(
      'block',
      describeBlockPage({ refusal, snapshot, standing, now, acknowledgeMinutes, locale }),
    )
  }
}
