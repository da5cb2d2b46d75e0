/** The admin app of the city's IT department: its plugins, its checks and its pages, written out in order. */
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import view from '@fastify/view'
import { Eta } from 'eta'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
} from 'fastify'
import { fileURLToPath } from 'node:url'
import { negotiateLocale, type Locale } from '../i18n.ts'
import { registerAccess } from './access.ts'
import type { AdminDeps, RouteDeps } from './deps.ts'
import { registerErrorPages } from './error-page.ts'
import { HealthWatch } from './health.ts'
import { BARE_HEADERS } from './bare-headers.ts'
import { createHttpServer } from './http-server.ts'
import { LimitTally } from './limit-tally.ts'
import { createLive } from './live.ts'
import { createLoginGuard } from './login-guard.ts'
import { accountRoutes } from './routes/account.ts'
import { assetRoutes } from './routes/assets.ts'
import { auditRoutes } from './routes/audit.ts'
import { candidateRoutes } from './routes/candidate.ts'
import { certificateRoutes } from './routes/certificate.ts'
import { decideRoutes } from './routes/decide.ts'
import { explainRoutes } from './routes/explain.ts'
import { grantRoutes } from './routes/grants.ts'
import { healthRoutes } from './routes/health.ts'
import { listRoutes } from './routes/lists.ts'
import { localRoutes } from './routes/local.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { pendingRoutes } from './routes/pending.ts'
import { policyRoutes } from './routes/policy.ts'
import { requestRoutes } from './routes/request.ts'
import { setupRoutes } from './routes/setup.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { sourceRoutes } from './routes/sources.ts'
import { userRoutes } from './routes/users.ts'
import { registerSecurityHeaders } from './security-headers.ts'

export type { AdminDeps } from './deps.ts'

declare module 'fastify' {
  interface FastifyRequest {
    locale: Locale
  }
}

const MAX_FORM_BYTES = 64 * 1024
const MAX_PARAM = 200
const ROUTES = [
  assetRoutes,
  healthRoutes,
  metricsRoutes,
  signInRoutes,
  setupRoutes,
  pendingRoutes,
  requestRoutes,
  decideRoutes,
  grantRoutes,
  policyRoutes,
  certificateRoutes,
  explainRoutes,
  localRoutes,
  listRoutes,
  candidateRoutes,
  sourceRoutes,
  auditRoutes,
  userRoutes,
  accountRoutes,
]

/** Builds the app; the caller listens, and closes it. It does not close the store. */
export async function createAdmin(deps: AdminDeps): Promise<FastifyInstance> {
  const limitTally = new LimitTally()
  const app = createServer(deps, limitTally)
  app.removeAllContentTypeParsers()
  app.decorateRequest('locale', 'fr')
  app.addHook('onRequest', async request => {
    request.locale = negotiateLocale(request.headers['accept-language'])
  })
  await registerSecurityHeaders(app)
  await app.register(cookie)
  await app.register(formbody, { bodyLimit: MAX_FORM_BYTES })
  await registerViews(app)
  registerAccess(app, deps)
  registerErrorPages(app, deps)
  const live = createLive(deps.store, deps.work)
  // Before `close` waits for open connections: these streams would never end by themselves.
  app.addHook('preClose', async () => live.close())
  const guard = createLoginGuard(deps.store.permits, deps.config.limits, limitTally.onLimit)
  const health = new HealthWatch(deps)
  app.addHook('onClose', async () => health.close())
  const routeDeps: RouteDeps = { ...deps, live, guard, limitTally, health }
  for (const route of ROUTES) await app.register(async scope => route(scope, routeDeps))
  await app.ready()
  return app
}

function createServer(
  { logger, config, contextFor }: AdminDeps,
  { onLimit }: LimitTally,
): FastifyInstance {
  const log: { logger: false } | { loggerInstance: FastifyBaseLogger } =
    logger === false ? { logger } : { loggerInstance: logger }
  const { trustedProxies } = config.admin
  return Fastify({
    ...log,
    // Fastify would log each URL with its query, and that of /setup holds a token.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_FORM_BYTES,
    serverFactory: handler => createHttpServer(handler, config, onLimit, contextFor),
    trustProxy: trustedProxies.length > 0 && trustedProxies,
    // A process that is replaced still answers what has come; Fastify then ends the connection, and we the rest.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM, ignoreTrailingSlash: true },
    // An address that cannot even be decoded meets no hook: it gets the barest answer.
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(400).headers(BARE_HEADERS).send('400')
    },
  })
}

async function registerViews(app: FastifyInstance): Promise<void> {
  const root = fileURLToPath(new URL('../../views/admin', import.meta.url))
  const eta = new Eta({ views: root, autoEscape: true, cache: true })
  await app.register(view, { engine: { eta }, root, viewExt: 'eta', production: true })
}
