/** The certificate of the city as its page shows it, and what the first page says of it. */
import { DEFAULT_POLICY } from '../policy/default-policy.ts'
import type { CaCertificate, Installation } from '../policy/installation.ts'
import type { StripWarning } from './list-strip.ts'
import type { Moment, Wording } from './wording.ts'

const WHICH = ['ca', 'caNext', 'caPrevious'] as const
/** How each is called in addresses and texts. */
const NAMES = { ca: 'inUse', caNext: 'next', caPrevious: 'previous' } as const

export interface CertificateView {
  readonly which: 'inUse' | 'next' | 'previous'
  readonly cityName: string
  readonly fingerprint: string
  readonly until: Moment
  readonly hasEnded: boolean
}

export function viewCertificates(
  installation: Installation | undefined,
  words: Wording,
  now: number,
): CertificateView[] {
  return WHICH.flatMap(which => {
    const found = installation?.[which]
    return found === undefined ? [] : [viewOne(NAMES[which], found, words, now)]
  })
}

function viewOne(
  which: CertificateView['which'],
  { cityName, fingerprint, notAfter }: CaCertificate,
  words: Wording,
  now: number,
): CertificateView {
  return { which, cityName, fingerprint, until: words.moment(notAfter), hasEnded: notAfter <= now }
}

/** Whether it has the name of the city: `demo` where the city has none of its own yet. */
export function nameState(
  installation: Installation | undefined,
  cityName: string,
): 'right' | 'demo' | 'other' {
  if (cityName === DEFAULT_POLICY.city.name) return 'demo'
  const { ca, caNext } = installation ?? {}
  return ca === undefined || [ca, caNext].some(each => each?.cityName === cityName)
    ? 'right'
    : 'other'
}

/** What the first page says of it. */
export function certificateWarnings(
  installation: Installation | undefined,
  cityName: string,
  { t }: Wording,
): StripWarning[] {
  const { ca, caNext } = installation ?? {}
  if (caNext !== undefined) {
    const action = t('certificate.see')
    return [{ kind: 'wait', text: t('certificate.waits'), href: '/certificate', action }]
  }
  const state = nameState(installation, cityName)
  if (ca === undefined || state === 'right') return []
  if (state === 'demo') {
    const action = t('certificate.name')
    return [{ kind: 'wait', text: t('certificate.demo'), href: '/policy', action }]
  }
  const text = t('certificate.other', { name: ca.cityName, city: cityName })
  return [{ kind: 'wait', text, href: '/certificate', action: t('certificate.prepare') }]
}
