/** What one part of a policy says of another: categories of the catalogue, profiles of rooms, schools of rules. */
import type { Words } from '../errors.ts'
import { unknownName } from '../schema-faults.ts'
import type { Catalogue } from './category.ts'
import type { PolicyDocument } from './policy-document.ts'

type Broken = Readonly<{ path: string; detail: Words }>

/** The first name in a policy that stands for nothing, or stands twice. */
export function brokenReference(policy: PolicyDocument, catalogue: Catalogue): Broken | undefined {
  return (
    duplicate(
      policy.profiles.map(p => p.id),
      'profiles',
    ) ??
    duplicate(
      policy.sites.map(s => s.uai),
      'sites',
    ) ??
    duplicate(
      policy.sites.flatMap(s => s.rooms.flatMap(r => r.networks)),
      'sites.rooms.networks',
    ) ??
    unknownExpressions(policy, catalogue) ??
    unknownCategory(policy, catalogue) ??
    unknownProfile(policy) ??
    unknownSite(policy)
  )
}

function duplicate(values: readonly string[], path: string): Broken | undefined {
  const seen = new Set<string>()
  for (const value of values) {
    if (seen.has(value))
      return { path, detail: { fr: `${value} y figure deux fois`, en: `${value} appears twice` } }
    seen.add(value)
  }
  return undefined
}

const noCategory = (name: string, catalogue: Catalogue): Words =>
  unknownName(name, [...catalogue.keys()], {
    unknown: { fr: 'catégorie inconnue', en: 'unknown category' },
    known: { fr: 'catégories', en: 'categories' },
  })

function unknownExpressions(policy: PolicyDocument, catalogue: Catalogue): Broken | undefined {
  const unknown = policy.expressions.find(category => !catalogue.has(category))
  if (unknown === undefined) return undefined
  return { path: 'expressions', detail: noCategory(unknown, catalogue) }
}

function unknownCategory(policy: PolicyDocument, catalogue: Catalogue): Broken | undefined {
  const odd = policy.rules.find(
    ({ category }) => category !== undefined && !catalogue.has(category),
  )
  if (odd !== undefined)
    return { path: `rules.${odd.host}`, detail: noCategory(odd.category ?? '', catalogue) }
  for (const profile of policy.profiles) {
    const unknown = [...profile.blocked, ...profile.warned].find(
      category => !catalogue.has(category),
    )
    if (unknown !== undefined) {
      return {
        path: `profiles.${profile.id}`,
        detail: noCategory(unknown, catalogue),
      }
    }
    const both = profile.blocked.find(category => profile.warned.includes(category))
    if (both !== undefined) {
      const detail = {
        fr: `${both} y est à la fois bloquée et avec avertissement`,
        en: `${both} is both blocked and warned`,
      }
      return { path: `profiles.${profile.id}`, detail }
    }
  }
  return undefined
}

function unknownProfile(policy: PolicyDocument): Broken | undefined {
  const known = new Set(policy.profiles.map(profile => profile.id))
  for (const site of policy.sites) {
    const room = site.rooms.find(({ profile }) => !known.has(profile))
    if (room) {
      return {
        path: `sites.${site.uai}.rooms.${room.name}.profile`,
        detail: unknownName(room.profile, [...known], {
          unknown: { fr: 'profil inconnu', en: 'unknown profile' },
          known: { fr: 'profils', en: 'known' },
        }),
      }
    }
  }
  return undefined
}

function unknownSite(policy: PolicyDocument): Broken | undefined {
  const known = new Set(policy.sites.map(site => site.uai))
  const rule = policy.rules.find(({ site }) => site !== undefined && !known.has(site))
  return (
    rule && {
      path: `rules.${rule.host}`,
      detail: unknownName(rule.site ?? '', [...known], {
        unknown: { fr: 'école inconnue', en: 'unknown school' },
        known: { fr: 'les UAI de "sites"', en: 'the UAIs of "sites"' },
      }),
    }
  )
}
