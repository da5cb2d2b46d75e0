/** What stands in place of a refused part of another page: a small card in a frame, one line elsewhere. */
import { displayHost } from './origin.ts'
import { portalTexts } from './texts.ts'
import { FRAME_STYLE } from './views.ts'
import { categoryLabel, categoryOf, describeWhy, type WhyParts } from './why.ts'

/** The card has no button, which could be clicked unknowingly: it says where there is one. */
export function describeFrame(parts: WhyParts) {
  const { refusal, locale } = parts
  const { verdict } = refusal
  const t = portalTexts(locale)
  const { heading, title, why } = describeWhy(parts)
  const isWarning = verdict.action === 'warn'
  const how = isWarning ? t('frame.warn.how') : verdict.requestable ? t('frame.ask') : undefined
  return {
    locale,
    css: FRAME_STYLE,
    title,
    heading: isWarning ? t('frame.warn') : heading,
    host: displayHost(refusal),
    why,
    more: how,
  }
}

/** For what no person looks at: images, scripts, calls. */
export function describeShort(parts: WhyParts): string {
  const { refusal, snapshot, locale } = parts
  const { target, verdict } = refusal
  const { host } = target
  const t = portalTexts(locale)
  if (verdict.reason === 'closed-hours') {
    const { heading, why } = describeWhy(parts)
    return t('short.closed', { heading, why })
  }
  const key = verdict.action === 'warn' ? 'short.warn' : 'short'
  if (verdict.category === undefined) return t(key, { host })
  const category = categoryLabel(categoryOf(verdict, snapshot), verdict.category, locale)
  return t(`${key}.classified`, { host, category })
}
