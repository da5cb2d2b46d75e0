/** What a refused person reads: what, why, where and what now, from the refusal and the snapshot alone. */
import type { Locale } from '../i18n.ts'
import type { Category } from '../policy/category.ts'
import type { Target } from '../policy/host.ts'
import { UNKNOWN_SITE, type Client } from '../policy/network.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { decide, type Refuse, type RefusalReason } from '../policy/verdict.ts'
import { sayHours, sayMoment } from '../spoken-hours.ts'
import { displayHost } from './origin.ts'
import type { Standing } from './standing.ts'
import { portalTexts, type PortalKey, type PortalTranslate } from './texts.ts'
import { SCRIPT, STYLE } from './views.ts'

interface Why {
  readonly why: string
  readonly more?: string | undefined
}

/** What every view of the portal is given. */
export interface PageModel {
  readonly locale: Locale
  readonly t: PortalTranslate
  readonly css: string
  readonly title: string
  readonly heading: string
  readonly city?: Snapshot['city']
}

export interface BlockPageModel extends PageModel, Place {
  readonly script: string
  readonly host: string
  readonly why: string
  readonly more?: string | undefined
  /** undefined where nothing may be asked. */
  readonly standing?: Standing | undefined
  readonly isAskable: boolean
  /** What the button says. */
  readonly ask: string
  /** Without script, the page of a pending request reads its state again. */
  readonly isRefreshing: boolean
  /** Why there is no button. */
  readonly closing?: string | undefined
  readonly mayContinue: boolean
}

export interface Place {
  readonly place: readonly { readonly name: string; readonly value: string }[]
  readonly isUnknownPlace: boolean
}

const ASK: Partial<Record<Standing['state'], PortalKey>> = {
  refused: 'ask.again',
  unavailable: 'ask.retry',
}

export interface BlockPageParts {
  readonly refusal: Refusal
  readonly snapshot: Snapshot
  readonly standing: Standing
  /** Epoch ms. */
  readonly now: number
  readonly acknowledgeMinutes: number
  readonly locale: Locale
}

export function describeBlockPage(parts: BlockPageParts): BlockPageModel {
  const { refusal, snapshot, standing, now, acknowledgeMinutes, locale } = parts
  const { client, verdict } = refusal
  const t = portalTexts(locale)
  const host = displayHost(refusal)
  const isWarning = verdict.action === 'warn'
  const { state } = standing
  return {
    locale,
    t,
    css: STYLE,
    script: SCRIPT,
    city: snapshot.city,
    title: t(isWarning ? 'title.warn' : 'title.block', { host }),
    heading: headingOf(refusal, t),
    host,
    ...whyOf(refusal, snapshot, now, locale),
    ...describePlace(client, t),
    standing: verdict.requestable ? standing : undefined,
    isAskable: !standing.isTooSoon && ['none', 'refused', 'unavailable'].includes(state),
    ask: t(ASK[state] ?? 'ask'),
    isRefreshing: verdict.requestable && state !== 'none' && state !== 'refused',
    closing: isWarning ? warningOf(acknowledgeMinutes, t) : closingOf(verdict.reason, t),
    mayContinue: isWarning && acknowledgeMinutes > 0,
  }
}

function headingOf({ verdict }: Refusal, t: PortalTranslate): string {
  if (verdict.action === 'warn') return t('heading.warn')
  return t(verdict.reason === 'closed-hours' ? 'heading.closed-hours' : 'heading.block')
}

function whyOf(refusal: Refusal, snapshot: Snapshot, now: number, locale: Locale): Why {
  const { client, target, verdict } = refusal
  const t = portalTexts(locale)
  const { reason } = verdict
  switch (reason) {
    case 'blocked-category':
    case 'warned-category':
    case 'never-grantable':
      return classified(verdict, snapshot, locale)
    case 'local-block':
      return { why: t('why.local-block'), more: localReason(snapshot, target, client, now) }
    case 'address':
    case 'non-public-address':
      return { why: t(`why.${reason}`), more: t(`why.${reason}.more`) }
    case 'closed-hours':
      return closedHours(refusal, snapshot, now, locale)
    case 'allow-only':
      return { why: t(`why.${reason}`) }
    case 'own-host':
      return { why: t('error.404.text') }
    default:
      return reason satisfies never
  }
}

/** The reason of the rule that decides; one that is over, or that another one overrules, is not it. */
function localReason(
  { rules }: Snapshot,
  { host }: Target,
  client: Client,
  now: number,
): string | undefined {
  const rule = rules.deciding(host, client, now)
  return rule?.action === 'block' ? rule.reason : undefined
}

function closedHours(
  { client, target }: Refusal,
  snapshot: Snapshot,
  now: number,
  locale: Locale,
): Why {
  const t = portalTexts(locale)
  const profile = snapshot.profiles.get(client.profile)
  const { opensAt } = profile?.openingAt(now) ?? {}
  if (opensAt === undefined) return { why: t('why.closed-hours.never') }
  const hours = sayHours(profile?.hours ?? [], locale).join(t('why.closed-hours.between'))
  const open = t('why.closed-hours.hours', { hours })
  // A site that is refused in the opening hours too must not be promised.
  const isRefusedThen = decide(snapshot, client, target, opensAt).action === 'block'
  return {
    why: t('why.closed-hours', { when: sayMoment(opensAt, now, snapshot.city.timeZone, locale) }),
    more: isRefusedThen ? open : `${open} ${t('why.closed-hours.site')}`,
  }
}

function classified(
  { category: id, listed }: Refuse,
  { catalogue }: Snapshot,
  locale: Locale,
): Why {
  const category = id === undefined ? undefined : catalogue.get(id)
  const key = listed === 'page' ? 'why.classified.page' : 'why.classified'
  const why = portalTexts(locale)(key, {
    category: categoryLabel(category, id, locale),
  })
  return { why, more: category?.description[locale] }
}

/** The words for a category; its id where an older catalogue does not know it. */
export function categoryLabel(
  category: Category | undefined,
  id: string | undefined,
  locale: Locale,
): string {
  return category?.label[locale] ?? id ?? '?'
}

function closingOf(reason: RefusalReason, t: PortalTranslate): string | undefined {
  if (reason === 'non-public-address') return t('closed.non-public-address')
  // A child who came upon such a site must not feel accused.
  if (reason === 'never-grantable')
    return `${t('closed.never-grantable')} ${t('why.never-grantable')}`
  return undefined
}

function warningOf(minutes: number, t: PortalTranslate): string {
  return minutes > 0 ? `${t('warn.why')} ${t('warn.kept', { minutes })}` : t('warn.closed')
}

/** Where the PC stands: school and room when they are known, its address always. */
export function describePlace(client: Client, t: PortalTranslate): Place {
  const isUnknownPlace = client.site === UNKNOWN_SITE
  const pc = { name: t('place.pc'), value: client.ip }
  if (isUnknownPlace) return { place: [pc], isUnknownPlace }
  const site = { name: t('place.site'), value: client.siteName }
  const room = { name: t('place.room'), value: client.room }
  return { place: [site, room, pc], isUnknownPlace }
}

/** One line for what no person looks at: images, scripts, frames. */
export function describeShort(
  { target, verdict }: Refusal,
  { catalogue }: Snapshot,
  locale: Locale,
): string {
  const t = portalTexts(locale)
  const { category: id } = verdict
  if (id === undefined) return t('short', { host: target.host })
  const category = categoryLabel(catalogue.get(id), id, locale)
  return t('short.classified', { host: target.host, category })
}
