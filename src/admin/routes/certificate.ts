/** The page of the city's certificate: the one in use, the one that will replace it, and what makes it so. */
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { CURRENT } from '../../policy/document.ts'
import type { Installation } from '../../policy/installation.ts'
import {
  activateCertificate,
  discardCertificate,
  prepareCertificate,
  rollBackCertificate,
  type Actor,
} from '../certificate-acts.ts'
import { nameState, viewCertificates } from '../certificate-view.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, textField } from '../form.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { isAdminText } from '../texts.ts'

const MAX_FINGERPRINT = 100
const FILES = {
  'preau-ca.crt': 'ca',
  'preau-ca-next.crt': 'caNext',
  'preau-ca-previous.crt': 'caPrevious',
} as const

export function certificateRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, config, clock } = deps
  app.get('/certificate', { config: { access: 'session' } }, async (request, reply) => {
    const [policy, installation] = await Promise.all([readPolicy(store), read(deps)])
    const words = wordingFor(request, deps, policy)
    const key = `certificate.done.${queryText(request.query, 'done') ?? ''}`
    const notice = isAdminText(key) ? ({ kind: 'done', text: words.t(key) } as const) : undefined
    const cityName = policy?.city.name ?? ''
    const data = {
      certificates: viewCertificates(installation, words, clock()),
      name: nameState(installation, cityName),
      cityName,
      inUse: installation?.caFingerprint ?? '',
    }
    const page = {
      view: 'certificate',
      title: words.t('certificate.title'),
      nav: 'nav.policy',
    } as const
    return renderPage(request, reply, deps, { ...page, notice, data }, policy)
  })
  for (const [file, which] of Object.entries(FILES))
    app.get(`/certificate/${file}`, { config: { access: 'session' } }, async (_, reply) => {
      const found = (await read(deps))?.[which]
      if (found === undefined) throw new PreauError('PREAU_NOT_FOUND')
      return reply
        .type('application/x-x509-ca-cert')
        .header('content-disposition', `attachment; filename="${file}"`)
        .send(found.pem)
    })
  const acts = {
    prepare: (actor: Actor) => prepareCertificate(store, join(config.dataDir, 'ca'), actor),
    activate: (actor: Actor) => activateCertificate(store, actor),
    discard: (actor: Actor) => discardCertificate(store, actor),
    rollback: (actor: Actor) => rollBackCertificate(store, actor),
  }
  for (const [done, act] of Object.entries(acts))
    app.post(`/certificate/${done}`, { config: { access: 'dsi' } }, async (request, reply) => {
      await assertShown(request, deps)
      await act({ by: request.who?.user.name ?? '', now: clock() })
      return redirect(reply, done)
    })
}

const redirect = (reply: FastifyReply, done: string): FastifyReply =>
  reply.redirect(`/certificate?done=${done}`, 303)

const read = async ({ store }: RouteDeps): Promise<Installation | undefined> =>
  (await store.get('installation', CURRENT))?.body

/** A second click, or one on a page of before somebody else's, must not act on what it did not show. */
async function assertShown(request: FastifyRequest, deps: RouteDeps): Promise<void> {
  const { caFingerprint = '', caNext } = (await read(deps)) ?? {}
  const shown = [
    textField(request.body, 'inUse', MAX_FINGERPRINT),
    textField(request.body, 'next', MAX_FINGERPRINT),
  ]
  if (shown[0] === caFingerprint && shown[1] === (caNext?.fingerprint ?? '')) return
  throw new PreauError('PREAU_CONFLICT', { kind: 'installation', id: CURRENT })
}
