/** Why a site is refused, in words that a child may read: what is closed, why, and what cannot be asked for. */
import type { Locale } from '../i18n.ts'
import type { Category } from '../policy/category.ts'
import type { Target } from '../policy/host.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { decide, type Refuse } from '../policy/verdict.ts'
import { wrappedSites } from '../policy/wrapped-site.ts'
import { sayHours, sayMoment } from '../spoken-hours.ts'
import { displayHost } from './origin.ts'
import { portalTexts, type PortalTranslate } from './texts.ts'

export interface WhyParts {
  readonly refusal: Refusal
  readonly snapshot: Snapshot
  /** Epoch ms. */
  readonly now: number
  readonly locale: Locale
}

export interface Why {
  readonly heading: string
  readonly title: string
  readonly why: string
  readonly more?: string | undefined
  /** Why it cannot be asked for. */
  readonly closing?: string | undefined
}

/** What is the same for each part of the answer. */
interface Asked extends WhyParts {
  readonly t: PortalTranslate
  /** The site that a translator, a cache or an archive would show, where that one is refused. */
  readonly inside: Target | undefined
}

/** Somebody who wraps a site more often hides it. */
const MAX_DEPTH = 5

export function describeWhy(parts: WhyParts): Why {
  const asked: Asked = { ...parts, t: portalTexts(parts.locale), inside: insideOf(parts) }
  const { why, more } = reasonOf(asked)
  return { ...headingOf(asked), why, more, closing: closingOf(asked) }
}

/** The innermost site whose own verdict is this one; undefined where so much is wrapped that none is reached. */
function insideOf({ refusal, snapshot, now }: WhyParts): Target | undefined {
  const { client, target, verdict } = refusal
  const isAlike = (site: Target): boolean => {
    const { action, reason, category } = {
      category: undefined,
      ...decide(snapshot, client, site, now),
    }
    return action === verdict.action && reason === verdict.reason && category === verdict.category
  }
  let inside: Target | undefined
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const sites = wrappedSites(inside ?? target)
    if (sites.length === 0) return inside
    inside = sites.find(isAlike)
    if (inside === undefined) return undefined
  }
  return undefined
}

function headingOf({ refusal, snapshot, now, inside, t }: Asked): Pick<Why, 'heading' | 'title'> {
  const { client, verdict } = refusal
  const host = displayHost(refusal)
  if (verdict.reason === 'closed-hours') {
    const { opensAt } = snapshot.profiles.get(client.profile)?.openingAt(now) ?? {}
    const heading = t(opensAt === undefined ? 'heading.never-open' : 'heading.closed-hours')
    return { heading, title: t('title.closed', { host, heading }) }
  }
  if (verdict.reason === 'unknown-network') {
    const heading = t('heading.never-open')
    return { heading, title: t('title.closed', { host, heading }) }
  }
  if (verdict.action === 'warn')
    return { heading: t('heading.warn'), title: t('title.warn', { host }) }
  const isPage = verdict.listed === 'page' || inside !== undefined
  return isPage
    ? { heading: t('heading.page'), title: t('title.page', { host }) }
    : { heading: t('heading.block'), title: t('title.block', { host }) }
}

type Reason = Pick<Why, 'why' | 'more'>

function reasonOf(asked: Asked): Reason {
  const { refusal, inside, t } = asked
  const { reason } = refusal.verdict
  const shown = inside === undefined ? '' : t('why.inside', { host: inside.host })
  switch (reason) {
    case 'blocked-category':
    case 'warned-category':
    case 'never-grantable':
      return classified(asked)
    case 'local-block':
      return { why: t('why.local-block'), more: sentences(shown, localReason(asked)) }
    case 'address':
    case 'non-public-address':
      return { why: t(`why.${reason}`), more: t(`why.${reason}.more`) }
    case 'closed-hours':
      return closedHours(asked)
    case 'unknown-network':
      return { why: t('why.unknown-network') }
    case 'allow-only':
      return { why: t(`why.${reason}`), more: sentences(shown) }
    case 'own-host':
      return { why: t('error.404.text') }
    default:
      return reason satisfies never
  }
}

const sentences = (...all: readonly (string | undefined)[]): string | undefined =>
  all.filter(Boolean).join(' ') || undefined

/** The reason of the rule that decides; one that is over, or that another one overrules, is not it. */
function localReason({ refusal, snapshot, now, inside }: Asked): string | undefined {
  const { client, target } = refusal
  const rule = snapshot.rules.deciding((inside ?? target).host, client, now)
  return rule?.action === 'block' ? rule.reason : undefined
}

function closedHours({ refusal: { client, target }, snapshot, now, locale, t }: Asked): Reason {
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

function classified({ refusal: { verdict }, snapshot, locale, inside, t }: Asked): Reason {
  const category = categoryOf(verdict, snapshot)
  const label = categoryLabel(category, verdict.category, locale)
  const more = category?.description[locale]
  if (inside !== undefined)
    return { why: t('why.classified.inside', { host: inside.host, category: label }), more }
  const key = verdict.listed === 'page' ? 'why.classified.page' : 'why.classified'
  return { why: t(key, { category: label }), more }
}

export const categoryOf = (
  { category: id }: Refuse,
  { catalogue }: Snapshot,
): Category | undefined => (id === undefined ? undefined : catalogue.get(id))

/** The words for a category; its id where an older catalogue does not know it. */
export function categoryLabel(
  category: Category | undefined,
  id: string | undefined,
  locale: Locale,
): string {
  return category?.label[locale] ?? id ?? '?'
}

function closingOf({ refusal: { verdict }, inside, t }: Asked): string | undefined {
  const { reason, requestable, action } = verdict
  if (reason === 'non-public-address') return t('closed.non-public-address')
  // A child who came upon such a site must not feel accused.
  if (reason === 'never-grantable')
    return `${t('closed.never-grantable')} ${t('why.never-grantable')}`
  // Of a PC that the city does not know the page says whom to tell.
  if (requestable || action === 'warn' || reason === 'unknown-network') return undefined
  return inside === undefined ? t('closed.page') : t('closed.inside', { host: inside.host })
}
