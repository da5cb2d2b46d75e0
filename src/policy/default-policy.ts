/**
 * The policy of a first start: four profiles, and one demonstration school holding loopback and the private ranges.
 * What is blocked follows the practice of French schools (UT1 categories); each city then writes its own.
 */
import type { PolicyDocument, ProfileDocument } from './policy-document.ts'

/** Dangerous for anybody, or a way round the filter. Never-grantable categories are blocked whatever stands here. */
const EVERYWHERE = [
  'adult',
  'mixed_adult',
  'malware',
  'phishing',
  'cryptojacking',
  'stalkerware',
  'ddos',
  'dialer',
  'marketingware',
  'agressif',
  'dangerous_material',
  'drogue',
  'hacking',
  'warez',
  'redirector',
  'strict_redirector',
  'vpn',
  'doh',
  'residential-proxies',
  'dynamic-dns',
  'reaffected',
  'sect',
]
const LEISURE = [
  'lingerie',
  'dating',
  'gambling',
  'arjel',
  'bitcoin',
  'astrology',
  'tricheur',
  'tricheur_pix',
]
const PUPILS_ONLY = ['social_networks', 'chat', 'remote-control', 'games']
const COACHED = [
  'ai',
  'manga',
  'celebrity',
  'shopping',
  'audio-video',
  'radio',
  'blog',
  'forums',
  'fakenews',
  'filehosting',
  'webmail',
  'shortener',
  'sports',
]

const profile = (
  id: string,
  fr: string,
  en: string,
  rest: Pick<ProfileDocument, 'addresses' | 'blocked' | 'warned'>,
): ProfileDocument => ({
  id,
  label: { fr, en },
  mode: 'open',
  tunnels: 'tls',
  webSockets: 'allow',
  hours: null,
  ...rest,
})

export const DEFAULT_POLICY: PolicyDocument = {
  version: 1,
  city: { name: 'Ville de démonstration', timeZone: 'Europe/Paris' },
  profiles: [
    profile('pupils', 'Élèves', 'Pupils', {
      addresses: 'block',
      blocked: [...EVERYWHERE, ...LEISURE, ...PUPILS_ONLY],
      warned: COACHED,
    }),
    profile('teachers', 'Enseignants', 'Teachers', {
      addresses: 'allow',
      blocked: [...EVERYWHERE, 'gambling', 'arjel'],
      warned: ['dating', 'tricheur', 'tricheur_pix'],
    }),
    profile('staff', 'Personnels', 'Staff', {
      addresses: 'allow',
      blocked: [...EVERYWHERE, 'gambling', 'arjel'],
      warned: [],
    }),
    profile('public', 'Public', 'Public', {
      addresses: 'block',
      blocked: [...EVERYWHERE, 'gambling', 'arjel', 'dating'],
      warned: [],
    }),
  ],
  sites: [
    {
      uai: '0000000A',
      name: 'École de démonstration',
      rooms: [
        {
          name: 'Salle de démonstration',
          profile: 'pupils',
          networks: [
            '127.0.0.0/8',
            '10.0.0.0/8',
            '172.16.0.0/12',
            '192.168.0.0/16',
            '::1/128',
            'fc00::/7',
          ],
        },
      ],
    },
  ],
  rules: [],
  expressions: [],
}
