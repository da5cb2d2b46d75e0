/** Who may use which route: every route says it, and the check is made in one place before any handler. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../errors.ts'
import { assertOwnForm, assertToken, expectedFormToken, isUnsafe } from './csrf.ts'
import type { AdminDeps } from './deps.ts'
import { readSession, shownSession } from './session.ts'

/** `public`: everybody; `session`: whoever is signed in; `dsi`: those who decide. */
export type Access = 'public' | 'session' | 'dsi'

declare module 'fastify' {
  interface FastifyRequest {
    /** Why nobody could tell who sends it. */
    failure: unknown
  }
  interface FastifyContextConfig {
    access?: Access
    /** Answers scripts: without session it says 401 and does not lead to the sign-in page. */
    isForScripts?: boolean
  }
}

/** Our style sheets, scripts and icons: the plugin that serves them cannot say who may read them. */
export const ASSETS = '/assets/'

const FOR_MONITORING: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** Adds the checks; a route without `access` is a programming error and stops the start. */
export function registerAccess(app: FastifyInstance, { store, clock }: AdminDeps): void {
  const whoIs = (request: FastifyRequest) => readSession(store, shownSession(request), clock())
  app.decorateRequest('who', null)
  app.decorateRequest('failure', null)
  app.addHook('onRoute', route => {
    if (route.url.startsWith(ASSETS)) route.config = { ...route.config, access: 'public' }
    if (route.config?.access === undefined) {
      throw new TypeError(`route ${route.url} does not say who may use it`)
    }
  })
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) {
      // Only so that the page keeps its navigation.
      request.who = await whoIs(request).catch(() => null)
      return
    }
    const { config, url = '' } = request.routeOptions
    const { access, isForScripts } = config
    if (isUnsafe(request.method)) assertOwnForm(request)
    // By the route that was found, not by what was typed: the two are decoded differently. How everything is is asked for
    // when the store does not answer.
    if (url.startsWith(ASSETS) || FOR_MONITORING.has(url)) return
    try {
      request.who = await whoIs(request)
    } catch (error) {
      // A form is read before it is turned away: the page that says so gives back what was typed.
      if (!isUnsafe(request.method)) throw error
      request.failure = error
      return
    }
    if (access === 'public') return
    if (request.who === null) return signInFirst(request, reply, isForScripts ?? false)
    if (access === 'dsi' && request.who.user.role !== 'dsi') throw new PreauError('PREAU_FORBIDDEN')
  })
  app.addHook('preHandler', async request => {
    if (request.failure !== null) throw request.failure
    if (request.is404 || !isUnsafe(request.method)) return
    const isPublic = request.routeOptions.config.access === 'public'
    assertToken(request, isPublic ? expectedFormToken(request) : request.who?.csrf)
  })
}

function signInFirst(request: FastifyRequest, reply: FastifyReply, isForScripts: boolean): void {
  if (isForScripts || wantsJson(request)) throw new PreauError('PREAU_SIGN_IN_NEEDED')
  const isPage = !isUnsafe(request.method) && request.url !== '/'
  reply.redirect(isPage ? `/sign-in?next=${encodeURIComponent(request.url)}` : '/sign-in', 303)
}

/** Our scripts ask for JSON; a form without script gets a redirection. */
export function wantsJson({ headers }: FastifyRequest): boolean {
  return headers.accept === 'application/json'
}
