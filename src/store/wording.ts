/** What a person reads of a store that is weaker than promised, and what to change: on the terminal and in the admin app. */
import en from '../../views/locales/store.en.json' with { type: 'json' }
import fr from '../../views/locales/store.fr.json' with { type: 'json' }
import { createTexts, type Locale } from '../i18n.ts'
import type { StoreWarning, StoreWarningCode } from './store.ts'

const storeTexts = createTexts<StoreWarningCode>({ fr, en })

export function warningText({ code, params }: StoreWarning, locale: Locale): string {
  return storeTexts(locale)(code, params)
}
