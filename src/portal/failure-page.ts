/** The page of a request that the policy allows and that failed: no such site, no answer. It asks for nothing. */
import type { PreauError } from '../errors.ts'
import type { Locale } from '../i18n.ts'
import { portalTexts, type PortalKey } from './texts.ts'
import { eta, STYLE } from './views.ts'

const TITLES: Readonly<Record<number, PortalKey>> = {
  403: 'failure.403',
  429: 'failure.503',
  503: 'failure.503',
}
/** What to do; any other is a request that the filter could not take. */
const TEXTS: Readonly<Record<number, PortalKey>> = {
  403: 'failure.403.text',
  429: 'failure.503.text',
  502: 'failure.text',
  503: 'failure.503.text',
  504: 'failure.text',
}

/** A self-contained HTML document of one inline style sheet and no script. */
export function renderFailure(error: PreauError, locale: Locale): string {
  const t = portalTexts(locale)
  const title = t(TITLES[error.status] ?? 'failure.title')
  const { host } = error.params
  return eta.render('./notice', {
    locale,
    t,
    css: STYLE,
    title,
    heading: title,
    host,
    why: error.text(locale),
    more: t(TEXTS[error.status] ?? 'failure.400.text'),
  })
}
