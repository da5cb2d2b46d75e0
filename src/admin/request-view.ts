/** What the pages show of an unblock request: the row of the list, the choices that make sense, the preselected ones. */
import { SCOPE_KINDS, type Scope, type ScopeKind } from '../policy/grant.ts'
import type { Catalogue } from '../policy/category.ts'
import type { Previous } from '../policy/decision.ts'
import { UNKNOWN_SITE } from '../policy/network.ts'
import type { UnblockRequest } from '../policy/unblock-request.ts'
import type { Stored } from '../store/store.ts'
import type { Moment, Wording } from './wording.ts'

export interface ScopeChoice {
  readonly kind: ScopeKind
  /** « Cette salle ». */
  readonly name: string
  /** What it means here: « Salle 1, École Jean-Moulin ». */
  readonly place: string
  readonly isPreselected: boolean
}

export interface RequestView {
  readonly id: string
  readonly version: number
  readonly host: string
  readonly path: string
  readonly url: string
  readonly reason: string
  /** The category alone says why: no need to add « catégorie bloquée ». */
  readonly isCategoryEnough: boolean
  readonly category: { readonly label: string; readonly description: string } | undefined
  /** What the person who decides should know of the pages of this site; undefined when nothing. */
  readonly pageHint: string | undefined
  readonly school: string
  /** Of an unknown network the addresses: nothing else tells one from the other. */
  readonly rooms: readonly string[]
  /** School and rooms in one line. */
  readonly place: string
  readonly pcs: string
  readonly clicks: string
  readonly at: Moment
  readonly lastAt: Moment
  readonly seen: Moment | undefined
  /** What was decided the last time that the same was asked. */
  readonly previous: PreviousView | undefined
  readonly isNeverGrantable: boolean
  readonly scopes: readonly ScopeChoice[]
}

export interface PreviousView {
  readonly outcome: Previous['outcome']
  readonly by: string
  readonly when: Moment
  /** The reason of a refusal; whom an approval was for, and whether somebody has ended it. */
  readonly detail: string
}

export function viewRequest(
  { body, version }: Stored<'request'>,
  catalogue: Catalogue,
  wording: Wording,
): RequestView {
  const category = body.category === undefined ? undefined : catalogue.get(body.category)
  const { t, locale } = wording
  const label = category?.label[locale] ?? body.category
  const [school, rooms] = [schoolOf(body, wording), roomsOf(body)]
  const seenAt = body.seenAt ?? body.decision?.at
  return {
    id: body.id,
    version,
    host: body.host,
    path: pathOf(body.url),
    url: body.url,
    reason: t(`reason.${body.reason}`),
    isCategoryEnough: label !== undefined && body.reason === 'blocked-category',
    category:
      label === undefined ? undefined : { label, description: category?.description[locale] ?? '' },
    pageHint: pageHintOf(body, catalogue, wording),
    school,
    rooms,
    place: [school, ...rooms].join(', '),
    pcs: wording.count('pending.pcs', body.askers.length),
    clicks: wording.count('pending.clicks', body.clicks),
    at: wording.moment(body.at),
    lastAt: wording.moment(body.lastAt),
    // Requests decided by an older Préau have no time of their own.
    seen: seenAt === undefined ? undefined : wording.moment(seenAt),
    previous: body.previous && viewPrevious(body.previous, wording),
    isNeverGrantable: category?.severity === 'never',
    scopes: scopesFor(body).map(scope => ({
      kind: scope.kind,
      name: scopeName(scope, body, wording),
      place: wording.scope(scope),
      isPreselected: scope.kind === narrowestScope(body),
    })),
  }
}

/** « Ce poste » says which one: of several that asked it is the first. */
function scopeName(scope: Scope, { askers }: UnblockRequest, { t }: Wording): string {
  if (scope.kind !== 'pc') return t(`scopeName.${scope.kind}`)
  return t(askers.length === 1 ? 'scopeName.thisPc' : 'scopeName.firstPc', { ip: scope.ip })
}

function viewPrevious(previous: Previous, wording: Wording): PreviousView {
  const { outcome, by, at } = previous
  return { outcome, by, when: wording.moment(at), detail: detailOf(previous, wording) }
}

function detailOf(previous: Previous, words: Wording): string {
  if (previous.outcome === 'refused') return previous.reason
  const { scope, endedBy } = previous
  const parts = [
    ...(scope === undefined ? [] : [words.scopeWords(scope)]),
    ...(endedBy === undefined || endedBy === 'system'
      ? []
      : [words.t('grants.closedBy', { by: endedBy })]),
  ]
  return parts.join(', ')
}

function pageHintOf(
  { listed, hints = [] }: UnblockRequest,
  catalogue: Catalogue,
  { t, locale }: Wording,
): string | undefined {
  if (listed === 'page') return t('request.pageListed')
  if (hints.length === 0) return undefined
  const categories = hints.map(id => catalogue.get(id)?.label[locale] ?? id).join(', ')
  return t('request.pageHint', { categories })
}

function schoolOf(request: UnblockRequest, wording: Wording): string {
  const isKnown = request.site !== UNKNOWN_SITE && request.siteName !== ''
  return isKnown ? request.siteName : wording.siteName(request.site)
}

function roomsOf({ askers, site }: UnblockRequest): string[] {
  if (site === UNKNOWN_SITE) return askers.map(({ ip }) => ip)
  return [...new Set(askers.map(asker => asker.room).filter(room => room !== ''))]
}

/** Without what names the host again; the query was never stored. */
function pathOf(url: string): string {
  const path = /^[a-z]+:\/\/[^/]+(\/.*)$/i.exec(url)?.[1] ?? ''
  return path === '/' ? '' : path
}

/** The scopes that mean something for this request: an unknown network has neither room nor school. */
export function scopesFor({ askers, site }: UnblockRequest): Scope[] {
  const first = askers[0]
  if (first === undefined) return []
  const all: Record<ScopeKind, Scope | undefined> = {
    pc: { kind: 'pc', ip: first.ip },
    room: first.room === '' ? undefined : { kind: 'room', site, room: first.room },
    site: site === UNKNOWN_SITE ? undefined : { kind: 'site', site },
    city: { kind: 'city' },
  }
  return SCOPE_KINDS.map(kind => all[kind]).filter(scope => scope !== undefined)
}

/** The narrowest scope that helps everybody who asked. */
function narrowestScope(request: UnblockRequest): ScopeKind {
  if (request.askers.length <= 1) return 'pc'
  const isOneRoom = new Set(request.askers.map(asker => asker.room)).size === 1
  const wanted: ScopeKind = isOneRoom && roomsOf(request).length === 1 ? 'room' : 'site'
  return scopesFor(request).some(({ kind }) => kind === wanted) ? wanted : 'pc'
}
