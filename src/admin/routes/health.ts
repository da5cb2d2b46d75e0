/**
 * `GET /healthz`: this process lives, and asks nobody. `GET /readyz`: how each part is, and 503 where one makes the admin app
 * or the filter unfit. Both are for machines without an account: no host, no name, no address in them.
 */
import type { FastifyInstance } from 'fastify'
import type { RouteDeps } from '../deps.ts'
import type { Health } from '../health.ts'

export function healthRoutes(app: FastifyInstance, { health }: RouteDeps): void {
  const config = { access: 'public', isForScripts: true } as const
  app.get('/healthz', { config }, (_, reply) => reply.send({ status: 'ok' }))
  app.get('/readyz', { config }, async (_, reply) => {
    const parts = withoutDetail(await health.now())
    const named = (state: string): string[] =>
      Object.entries(parts).flatMap(([name, part]) => (part.state === state ? [name] : []))
    const unfit = named('fail')
    const status = unfit.length === 0 ? 'ready' : 'unfit'
    return reply
      .code(unfit.length === 0 ? 200 : 503)
      .send({ status, unfit, warn: named('warn'), parts })
  })
}

/** Why a store does not answer names its address, and a parent may be called after a machine: that stands in the log. */
function withoutDetail({ store, parents, ...parts }: Health) {
  const { detail: _detail, warnings, ...ofStore } = store
  return {
    store: { ...ofStore, warnings: warnings.map(({ code }) => code) },
    parents: { ...parents, out: parents.out.length },
    ...parts,
  }
}
