/** The answer to any request to a refused origin: the block page, a card in a frame, one line where no person looks. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Limits } from '../config.ts'
import { negotiateLocale } from '../i18n.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'
import { describeBlockPage } from './block-page.ts'
import { describeFrame, describeShort } from './frame.ts'
import { createPatientReader } from './patient-reader.ts'
import { describeStanding } from './standing.ts'
import { destinationOf } from './sub-resource.ts'
import { FRAME_CSP } from './views.ts'

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
    const destination = destinationOf(headers)
    reply.code(403)
    if (destination !== 'page') {
      const parts = { refusal, snapshot: current.snapshot, now: clock(), locale }
      // No frame-ancestors here: it may show inside a frame, where nothing of it can be clicked.
      reply.header('content-security-policy', FRAME_CSP)
      if (destination === 'frame') return reply.viewAsync('frame', describeFrame(parts))
      reply.type('text/plain; charset=utf-8')
      return `${describeShort(parts)}\n`
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
