/** The policy as it stands, to read: profiles, schools, the city's rules, the lists, and how to change them. */
import type { FastifyInstance } from 'fastify'
import type { Locale } from '../../i18n.ts'
import type { Catalogue, CategoryId } from '../../policy/category.ts'
import { networkDoubts, type NetworkDoubt } from '../../policy/network-checks.ts'
import type { PolicyDocument, ProfileDocument } from '../../policy/policy-document.ts'
import { sayHours } from '../../spoken-hours.ts'
import type { RouteDeps } from '../deps.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import type { Wording } from '../wording.ts'

const MAX_SITES = 300
const MAX_DOUBTS = 40

export function policyRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, catalogue, proxyAddress, caFingerprint } = deps
  app.get('/policy', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const data = {
      ...(policy === undefined ? {} : viewPolicy(policy, catalogue, words)),
      hasPolicy: policy !== undefined,
      never: labelsOf(neverGrantable(catalogue), catalogue, words.locale),
      proxyAddress,
      caFingerprint: caFingerprint(),
    }
    const page = { view: 'policy', title: words.t('policy.title'), nav: 'nav.policy' } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
}

function viewPolicy(policy: PolicyDocument, catalogue: Catalogue, words: Wording) {
  const { locale } = words
  const labels = new Map(policy.profiles.map(({ id, label }) => [id, label[locale]]))
  return {
    profiles: policy.profiles.map(profile => ({
      label: profile.label[locale],
      blocked: labelsOf(profile.blocked, catalogue, locale),
      warned: labelsOf(profile.warned, catalogue, locale),
      mode: profile.mode,
      addresses: profile.addresses,
      tunnels: profile.tunnels,
      webSockets: profile.webSockets,
      hours: hoursOf(profile, words),
    })),
    sites: policy.sites.slice(0, MAX_SITES).map(({ name, uai, rooms }) => ({
      name,
      uai,
      rooms: rooms.map(room => ({ ...room, profile: labels.get(room.profile) ?? room.profile })),
      count: words.count('policy.rooms', rooms.length),
    })),
    doubts: networkDoubts(policy)
      .slice(0, MAX_DOUBTS)
      .map(doubt => sayDoubt(doubt, words)),
    sitesCount: policy.sites.length,
    maxSites: MAX_SITES,
    rulesCount: policy.rules.length,
  }
}

function neverGrantable(catalogue: Catalogue): CategoryId[] {
  return [...catalogue.values()].filter(({ severity }) => severity === 'never').map(({ id }) => id)
}

function labelsOf(ids: readonly CategoryId[], catalogue: Catalogue, locale: Locale): string[] {
  const labels = ids.map(id => catalogue.get(id)?.label[locale] ?? id)
  return labels.toSorted((a, b) => a.localeCompare(b, locale))
}

function hoursOf({ hours }: ProfileDocument, { t, locale }: Wording): string {
  if (hours === null) return t('policy.always')
  if (hours.length === 0) return t('policy.closed')
  return t('policy.hours', { hours: sayHours(hours, locale).join(' · ') })
}

/** What stands in the policy and may have been meant otherwise: an older import did not ask. */
function sayDoubt(doubt: NetworkDoubt, { t }: Wording): string {
  const { network, room, site } = doubt.of
  if (doubt.kind !== 'inside') return t(`policy.doubt.${doubt.kind}`, { network, room, site })
  const { around } = doubt
  return t('policy.doubt.inside', {
    network,
    room,
    site,
    around: around.network,
    other: around.site,
  })
}
