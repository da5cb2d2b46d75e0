/**
 * The portal: a Fastify app that never listens. The proxy hands it each refused request; host, client and verdict come
 * from the exchange. Every path of the refused origin gives the block page, but for ours below `/.preau/`.
 */
import formbody from '@fastify/formbody'
import view from '@fastify/view'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Limits } from '../config.ts'
import { PreauError } from '../errors.ts'
import { FaultLog } from '../fault-log.ts'
import { negotiateLocale, type Locale } from '../i18n.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'
import { createAnswerError } from './answer-error.ts'
import { createBlockAnswer } from './answer-block.ts'
import { drain } from './drain.ts'
import { FollowHub } from './follow.ts'
import { inTime } from './in-time.ts'
import type { PortalLimit } from './limit-name.ts'
import { isFromRefusedOrigin, keptUrl, OUR_PATHS, returnUrl } from './origin.ts'
import { answerOwnHost, type Certificates } from './own-host.ts'
import { createClickRate } from './rate.ts'
import { describeStanding } from './standing.ts'
import { UnblockDesk } from './unblock.ts'
import { eta, PAGE_CSP, VIEWS } from './views.ts'
import { createAcknowledge } from './warning.ts'

export interface PortalDeps {
  readonly store: Store
  readonly current: Current
  /** Epoch ms. */
  readonly clock: () => number
  readonly limits: Limits
  /** What the proxy knows about the exchange of a request; undefined for a request that it did not hand over. */
  readonly refusalOf: (raw: IncomingMessage) => Refusal | undefined
  /** The certificates of the CA that PCs install, PEM: the one in use, and one that they may install already. */
  readonly certificates: () => Certificates
  /** A pino logger, or none. */
  readonly logger: FastifyBaseLogger | false
  /** Called each time a person runs into a limit. */
  readonly onLimit?: (limit: PortalLimit) => void
}

/** The answer also waits for the grant to reach this process. */
const CONTINUE_MS = 4_000
/** Where the configuration sets no bound (0): Fastify wants one. */
const FALLBACK_FORM_BYTES = 1_048_576

/** Makes the portal; hand it requests with `app.routing(req, res)` once `app.ready()` has resolved. */
export async function createPortal(deps: PortalDeps): Promise<FastifyInstance> {
  const { logger, onLimit } = deps
  // Our forms have no field that counts: host, client and address come from the exchange and the Referer.
  const bodyLimit = deps.limits.formBytes || FALLBACK_FORM_BYTES
  const app: FastifyInstance = Fastify({
    ...(logger === false ? { logger } : { loggerInstance: logger }),
    // The access log has one line per exchange; a second one here would hold the paths of HTTPS requests.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    exposeHeadRoutes: false,
    // A worker that drains still answers; Fastify then ends the connection.
    return503OnClosing: false,
    rewriteUrl: routedPath,
  })
  // Only what our own form sends: not the JSON and the plain text that Fastify reads by itself (CVE-2022-41919).
  app.removeAllContentTypeParsers()
  await app.register(formbody, { bodyLimit })
  await app.register(view, { engine: { eta }, root: VIEWS, viewExt: 'eta', production: true })
  app.decorateRequest('refusal')
  const faults = new FaultLog({ logger, level: 'error', text: 'the portal could not answer' })
  app.addHook('onClose', async () => faults.close())
  app.setErrorHandler(createAnswerError(deps.current, faults))
  app.addHook('onError', async (_request, _reply, error) => {
    if (error.statusCode === 413) onLimit?.('formBytes')
  })
  app.addHook('onRequest', createGate(deps))
  addForms(app, deps)
  addFollow(app, deps)
  return app
}

/** Only our own paths are routed: any other may hold what a router refuses, and is one page all the same. */
function routedPath({ url }: IncomingMessage): string {
  const path = pathOf(url)
  return path.startsWith(OUR_PATHS) && /^[\w./-]+$/.test(path) ? path : '/'
}

/** The path of a request: plain HTTP comes in absolute form, TLS in origin form (RFC 9112 §3.2). */
function pathOf(url = ''): string {
  return url.replace(/^http:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '') || '/'
}

/** Runs before any body is read: sets the headers, and answers all that is not ours. */
function createGate(deps: PortalDeps) {
  const answerBlock = createBlockAnswer(deps)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const locale = localeOf(request)
    reply.headers({
      'cache-control': 'no-store',
      'content-language': locale,
      'content-security-policy': PAGE_CSP,
      // The Referer of our own form is how the portal learns which page was asked for; nobody else gets it.
      'referrer-policy': 'same-origin',
      vary: 'Accept-Language, Sec-Fetch-Dest',
      'x-content-type-options': 'nosniff',
    })
    const refusal = deps.refusalOf(request.raw)
    if (refusal === undefined) throw new PreauError('PREAU_BAD_REQUEST')
    // The browser must open a new CONNECT for the next request: it is judged anew, and may then reach the site itself.
    if (refusal.scheme === 'https') reply.header('connection', 'close')
    request.setDecorator('refusal', refusal)
    const isOwnHost = refusal.verdict.reason === 'own-host'
    if (!isOwnHost && !request.is404) return undefined
    if (!(await drain(request.raw))) reply.header('connection', 'close')
    if (!isOwnHost) return reply.send(await answerBlock(request, reply, refusal))
    const parts = { ...deps, refusal, snapshot: deps.current.snapshot, now: deps.clock(), locale }
    const body = await answerOwnHost(request, reply, pathOf(request.originalUrl), parts)
    if (body === undefined) throw new PreauError('PREAU_NOT_FOUND')
    return reply.send(body)
  }
}

function addForms(app: FastifyInstance, deps: PortalDeps): void {
  const { clock, current, limits } = deps
  const desk = new UnblockDesk(deps)
  const acknowledge = createAcknowledge(deps)
  const rule = { name: 'click', max: limits.unblockPerMinute }
  const isWithinRate = createClickRate(deps.store.permits, rule)
  const accept = async (
    { headers }: FastifyRequest,
    refusal: Refusal,
    isAllowed: boolean,
  ): Promise<void> => {
    if (!isAllowed || !isFromRefusedOrigin(headers, refusal))
      throw new PreauError('PREAU_FORBIDDEN')
    if (await isWithinRate(refusal.client.ip, clock())) return
    deps.onLimit?.('unblockPerMinute')
    throw new PreauError('PREAU_TOO_MANY_REQUESTS')
  }
  app.post('/.preau/unblock', async (request, reply) => {
    const refusal = request.getDecorator<Refusal>('refusal')
    const { referer, accept: wanted } = request.headers
    const latest = await inTime(async isLate => {
      await accept(request, refusal, refusal.verdict.requestable)
      return desk.ask(refusal, keptUrl(referer, refusal), isLate)
    })
    if (wanted?.includes('application/json'))
      return describeStanding(latest, refusal, current.snapshot, clock(), localeOf(request))
    return reply.redirect(returnUrl(referer, refusal), 303)
  })
  app.post('/.preau/continue', async (request, reply) => {
    const refusal = request.getDecorator<Refusal>('refusal')
    await inTime(async () => {
      await accept(request, refusal, refusal.verdict.action === 'warn')
      await acknowledge(refusal)
    }, CONTINUE_MS)
    return reply.redirect(returnUrl(request.headers.referer, refusal), 303)
  })
}

function addFollow(app: FastifyInstance, deps: PortalDeps): void {
  const hub = new FollowHub(deps)
  app.addHook('preClose', async () => hub.close())
  app.get('/.preau/follow', async (request, reply) => {
    const refusal = request.getDecorator<Refusal>('refusal')
    if (!refusal.verdict.requestable || !isFromRefusedOrigin(request.headers, refusal)) {
      throw new PreauError('PREAU_FORBIDDEN')
    }
    const limit = hub.limitFor(refusal.client.ip)
    if (limit !== undefined) {
      deps.onLimit?.(limit)
      throw new PreauError('PREAU_TOO_MANY_REQUESTS')
    }
    reply.type('text/event-stream; charset=utf-8').hijack()
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>).flushHeaders()
    hub.add(refusal, localeOf(request), reply.raw)
    return reply
  })
}

const localeOf = ({ headers }: FastifyRequest): Locale =>
  negotiateLocale(headers['accept-language'])
