/** The texts of the admin pages. */
import en from '../../views/locales/admin.en.json' with { type: 'json' }
import fr from '../../views/locales/admin.fr.json' with { type: 'json' }
import { createTexts, type Translate } from '../i18n.ts'

export type AdminText = keyof typeof fr
export type AdminTranslate = Translate<AdminText>

export const adminTexts = createTexts<AdminText>({ fr, en })

export function isAdminText(key: string): key is AdminText {
  return Object.hasOwn(fr, key)
}
