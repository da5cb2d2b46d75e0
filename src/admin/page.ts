/** Renders a page: the layout's data (city, person, language, navigation, form token) and the words for its facts. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CURRENT } from '../policy/document.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import type { Store } from '../store/store.ts'
import type { AdminDeps } from './deps.ts'
import type { AdminText } from './texts.ts'
import { createWording, type Wording } from './wording.ts'

const DEFAULT_CITY = { name: '', timeZone: 'Europe/Paris' }

export async function readPolicy(store: Store): Promise<PolicyDocument | undefined> {
  return (await store.get('policy', CURRENT))?.body
}

/** The words of one request's pages: its language, the city's time zone, the names of its schools. */
export function wordingFor(
  request: FastifyRequest,
  { clock }: Pick<AdminDeps, 'clock'>,
  policy: PolicyDocument | undefined,
): Wording {
  return createWording({
    locale: request.locale,
    timeZone: policy?.city.timeZone ?? DEFAULT_CITY.timeZone,
    now: clock(),
    siteNames: new Map(policy?.sites.map(site => [site.uai, site.name])),
  })
}

/** One line on top of a page: what was just done, or what went wrong. */
export interface Notice {
  readonly kind: 'done' | 'problem'
  readonly text: string
}

export interface Page {
  /** Template below `views/admin/`. */
  readonly view: string
  readonly title: string
  /** The entry of the navigation that is open. */
  readonly nav?: Extract<AdminText, `nav.${string}`>
  readonly notice?: Notice | undefined
  /** Form token of a page without session. */
  readonly formToken?: string
  readonly data?: object
}

export async function renderPage(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: Pick<AdminDeps, 'store' | 'clock'>,
  page: Page,
  policy?: PolicyDocument,
): Promise<FastifyReply> {
  const current = policy ?? (await readPolicy(deps.store))
  return reply.view(page.view, frame(request, deps, page, current))
}

/** The data of a template: that of the layout and that of the page. */
export function frame(
  request: FastifyRequest,
  deps: Pick<AdminDeps, 'clock'>,
  { title, nav, notice, formToken, data }: Omit<Page, 'view'>,
  policy: PolicyDocument | undefined,
): object {
  const words = wordingFor(request, deps, policy)
  const { who } = request
  return {
    words,
    t: words.t,
    locale: request.locale,
    city: policy?.city.name ?? DEFAULT_CITY.name,
    title,
    nav,
    notice,
    who: who && { name: who.user.name, role: who.user.role },
    canDecide: who?.user.role === 'dsi',
    csrf: who?.csrf ?? formToken ?? '',
    ...data,
  }
}
