/** `GET /healthz`: 200 when the store answers, for the supervisor and for monitoring. */
import type { FastifyInstance } from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import { CURRENT } from '../../policy/document.ts'
import type { RouteDeps } from '../deps.ts'

const STORE_TIMEOUT_MS = 1_000

export function healthRoutes(app: FastifyInstance, { store }: RouteDeps): void {
  app.get('/healthz', { config: { access: 'public', isForScripts: true } }, async (_, reply) => {
    const isUp = await answersInTime(store.get('policy', CURRENT))
    return reply.code(isUp ? 200 : 503).send({ status: isUp ? 'ok' : 'unavailable' })
  })
}

async function answersInTime(question: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(STORE_TIMEOUT_MS, false, { signal: timer.signal, ref: false })
  const answer = question.then(
    () => true,
    () => false,
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    late.catch(() => undefined)
    timer.abort()
  }
}
