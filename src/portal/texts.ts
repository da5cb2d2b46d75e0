/** The texts of the portal, French first. */
import en from '../../views/locales/portal.en.json' with { type: 'json' }
import fr from '../../views/locales/portal.fr.json' with { type: 'json' }
import { createTexts, type Translate } from '../i18n.ts'

export type PortalKey = keyof typeof fr
export type PortalTranslate = Translate<PortalKey>

export const portalTexts = createTexts<PortalKey>({ fr, en })
