/** The rules of a kind of user (pupils, teachers, staff, public), compiled from the policy document. */
import type { CategoryId } from './category.ts'
import type { ProfileId } from './network.ts'
import type { PolicyDocument, ProfileDocument } from './policy-document.ts'
import { compileHours, type Hours, type Opening } from './schedule.ts'

export interface Profile {
  readonly id: ProfileId
  readonly label: { readonly fr: string; readonly en: string }
  readonly mode: 'open' | 'allow-only'
  readonly addresses: 'allow' | 'block'
  readonly tunnels: 'tls' | 'any'
  readonly webSockets: 'allow' | 'block'
  readonly blocked: ReadonlySet<CategoryId>
  readonly warned: ReadonlySet<CategoryId>
  /** Opening hours; null: always open. */
  readonly hours: Hours | null
  readonly openingAt: (now: number) => Opening
}

const ALWAYS: Opening = { isOpen: true }

export function compileProfiles(policy: PolicyDocument): ReadonlyMap<ProfileId, Profile> {
  return new Map(
    policy.profiles.map(profile => [profile.id, compile(profile, policy.city.timeZone)]),
  )
}

function compile({ hours, blocked, warned, ...rest }: ProfileDocument, timeZone: string): Profile {
  return {
    ...rest,
    blocked: new Set(blocked),
    warned: new Set(warned),
    hours,
    openingAt: hours === null ? () => ALWAYS : compileHours(hours, timeZone),
  }
}

/** The profile of an unknown network: allow-only before open, then the one that blocks most, then the first written. */
export function strictestProfile(policy: PolicyDocument): ProfileId {
  return policy.profiles.reduce((best, next) => (strictness(next) > strictness(best) ? next : best))
    .id
}

function strictness({ mode, addresses, blocked }: ProfileDocument): number {
  return (mode === 'allow-only' ? 1e6 : 0) + blocked.length + (addresses === 'block' ? 0.5 : 0)
}
