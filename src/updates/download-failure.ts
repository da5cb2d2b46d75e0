/** Why a download failed, in words that a person can act on. */
import { detailOf } from '../error-detail.ts'
import { causeOf, PreauError, type Words } from '../errors.ts'

const REASONS = {
  status: { fr: 'le serveur répond {status}', en: 'the server answers {status}' },
  redirects: { fr: 'plus de {count} redirections', en: 'more than {count} redirects' },
  badRedirect: {
    fr: 'la redirection ne mène pas à une adresse http ou https',
    en: 'the redirect does not lead to an http or https URL',
  },
  downgrade: {
    fr: 'la redirection passe de https à http',
    en: 'the redirect goes from https to http',
  },
  inner: {
    fr: 'la redirection mène à une adresse interne ({host})',
    en: 'the redirect leads to an address that is not public ({host})',
  },
  tooBig: { fr: 'plus de {megabytes} Mo', en: 'more than {megabytes} MB' },
  truncated: {
    fr: 'interrompu avant la fin ({bytes} octets reçus)',
    en: 'cut off before the end ({bytes} bytes received)',
  },
  tooSlow: { fr: 'pas terminé au bout de {seconds} s', en: 'not finished after {seconds} s' },
  silent: { fr: 'silence depuis {seconds} s', en: 'silent for {seconds} s' },
  proxy: { fr: 'le proxy parent refuse ({cause})', en: 'the parent proxy refuses ({cause})' },
  coding: {
    fr: 'compressé d’une façon inconnue ({coding})',
    en: 'compressed in an unknown way ({coding})',
  },
  checksum: {
    fr: 'ce n’est pas le fichier que la source annonce (MD5 {published})',
    en: 'it is not the file that the source announces (MD5 {published})',
  },
  certificate: { fr: 'certificat refusé ({cause})', en: 'certificate refused ({cause})' },
  answer: { fr: 'réponse HTTP invalide ({cause})', en: 'invalid HTTP answer ({cause})' },
  network: { fr: '{words}', en: '{cause}' },
} as const satisfies Record<string, Words>

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connexion refusée',
  ECONNRESET: 'connexion interrompue',
  EHOSTUNREACH: 'machine injoignable',
  ENETUNREACH: 'réseau injoignable',
  EPIPE: 'connexion interrompue',
  ETIMEDOUT: 'aucune réponse',
}

/** A failure whose URL is not known here; `downloadFailed` names it. */
export function saysWhy(
  reason: keyof typeof REASONS,
  params: Readonly<Record<string, string | number>>,
): PreauError {
  const say = (locale: 'fr' | 'en'): string =>
    REASONS[reason][locale].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = params[name] ?? whole
      return typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : value
    })
  const detail = { fr: say('fr'), en: say('en') }
  return new PreauError('PREAU_DOWNLOAD_FAILED', { url: '', detail })
}

/** The one error that a download throws. A query may hold a key: it is neither logged nor shown. */
export function downloadFailed(url: string, error: unknown): PreauError {
  const { origin, pathname } = new URL(url)
  const params = { url: `${origin}${pathname}`, detail: whyOf(error) }
  return new PreauError('PREAU_DOWNLOAD_FAILED', params, { cause: error })
}

function whyOf(error: unknown): string | Words {
  if (error instanceof PreauError) {
    const { detail } = error.params
    if (error.code === 'PREAU_DOWNLOAD_FAILED' && typeof detail === 'object') return detail
    return { fr: error.text('fr'), en: error.text('en') }
  }
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const cause = causeOf(error)
  const words = NETWORK[code]
  if (words !== undefined) return wordsOf('network', { words, cause })
  if (code.startsWith('HPE_')) return wordsOf('answer', { cause: code })
  if (code.startsWith('ERR_PROXY')) return wordsOf('proxy', { cause })
  if (/CERT|ERR_TLS|UNABLE_TO|ERR_SSL/.test(code)) return wordsOf('certificate', { cause: code })
  return detailOf(error)
}

const wordsOf = (reason: keyof typeof REASONS, params: Record<string, string>): string | Words =>
  saysWhy(reason, params).params['detail'] as Words
