/** What a refused person reads: what, why, where and what now, from the refusal and the snapshot alone. */
import type { Locale } from '../i18n.ts'
import { UNKNOWN_SITE, type Client } from '../policy/network.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { displayHost } from './origin.ts'
import type { Standing } from './standing.ts'
import { portalTexts, type PortalKey, type PortalTranslate } from './texts.ts'
import { SCRIPT, STYLE } from './views.ts'
import { describeWhy, type Why, type WhyParts } from './why.ts'

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

export interface BlockPageParts extends WhyParts {
  readonly standing: Standing
  readonly acknowledgeMinutes: number
}

export function describeBlockPage(parts: BlockPageParts): BlockPageModel {
  const { refusal, snapshot, standing, acknowledgeMinutes, locale } = parts
  const why = describeWhy(parts)
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
    host,
    ...why,
    ...describePlace(client, t),
    standing: verdict.requestable ? standing : undefined,
    isAskable: !standing.isTooSoon && ['none', 'refused', 'unavailable'].includes(state),
    ask: t(ASK[state] ?? 'ask'),
    isRefreshing: verdict.requestable && state !== 'none' && state !== 'refused',
    ...(isWarning ? warningOf(why, acknowledgeMinutes, t) : { mayContinue: false }),
  }
}

/** Where a city lets nobody pass, a warning is a refusal. */
function warningOf(
  { heading }: Why,
  minutes: number,
  t: PortalTranslate,
): Pick<BlockPageModel, 'heading' | 'closing' | 'mayContinue'> {
  return minutes > 0
    ? { heading, closing: `${t('warn.why')} ${t('warn.kept', { minutes })}`, mayContinue: true }
    : { heading: t('heading.block'), closing: t('warn.closed'), mayContinue: false }
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
