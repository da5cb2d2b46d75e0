/**
 * What a written network can mean otherwise than its writer thinks: refused where nobody can mean it, and named as a doubt
 * where somebody may. A network decides which school a PC is of.
 */
import { PreauError, type Words } from '../errors.ts'
import { lacksLength, parseCidr, type AddressRange } from './address.ts'
import type { PolicyDocument } from './policy-document.ts'

export interface NetworkPlace {
  readonly network: string
  readonly uai: string
  readonly site: string
  readonly room: string
}

export type NetworkDoubt =
  /** An address alone: one PC, not a network. */
  | { readonly kind: 'single'; readonly of: NetworkPlace }
  /** The bits of a host are set: it is read as the whole network around. */
  | { readonly kind: 'host-bits'; readonly of: NetworkPlace }
  /** It takes its addresses from the network of another school. */
  | { readonly kind: 'inside'; readonly of: NetworkPlace; readonly around: NetworkPlace }

interface Placed {
  readonly range: AddressRange
  readonly place: NetworkPlace
}

/**
 * Refuses what nobody can mean. Of a policy that comes from outside only: one that stands must stay readable.
 * Throws PREAU_POLICY_INVALID.
 */
export function assertNetworks(policy: PolicyDocument): void {
  const seen = new Map<string, NetworkPlace>()
  for (const { range, place } of placedOf(policy)) {
    const path = `sites.${place.uai}.rooms.${place.room}.networks`
    if (lacksLength(place.network)) refuse(path, sayLength(place.network))
    const key = `${range.family}:${range.first}-${range.last}`
    const other = seen.get(key)
    if (other !== undefined) refuse(path, sayTwice(place, other))
    seen.set(key, place)
  }
}

function refuse(path: string, detail: Words): never {
  throw new PreauError('PREAU_POLICY_INVALID', { path, detail })
}

function sayLength(network: string): Words {
  const isV6 = network.includes(':')
  const zeros = /(?:\.0)+$/.exec(network)?.[0].length ?? 0
  const length = isV6 ? 64 : 32 - 4 * zeros
  const alone = isV6 ? 128 : 32
  return {
    fr: `« ${network} » n’a pas de longueur : écrivez ${network}/${length} pour le réseau, ou ${network}/${alone} pour ce seul poste`,
    en: `"${network}" has no length: write ${network}/${length} for the network, or ${network}/${alone} for this PC alone`,
  }
}

function sayTwice(place: NetworkPlace, other: NetworkPlace): Words {
  const where = `${other.room}, ${other.site}`
  return {
    fr: `${place.network} est déjà le réseau ${other.network} de ${where}`,
    en: `${place.network} is the network ${other.network} of ${where} already`,
  }
}

/** What is taken as written, and should be said: in the order of the addresses. */
export function networkDoubts(policy: PolicyDocument): NetworkDoubt[] {
  const placed = placedOf(policy).toSorted(byAddress)
  const open: Placed[] = []
  return placed.flatMap(({ range, place }): NetworkDoubt[] => {
    while (open.length > 0 && !isAround(open.at(-1)?.range, range)) open.pop()
    const around = open.at(-1)?.place
    open.push({ range, place })
    const written = spellingDoubt(range, place)
    const inside: NetworkDoubt[] =
      around === undefined || around.uai === place.uai
        ? []
        : [{ kind: 'inside', of: place, around }]
    return [...written, ...inside]
  })
}

function spellingDoubt({ family, first, last }: AddressRange, place: NetworkPlace): NetworkDoubt[] {
  const { network } = place
  if (!network.includes('/')) return [{ kind: 'single', of: place }]
  const written = parseCidr(network.slice(0, network.indexOf('/')))
  const isWhole = written?.family !== family || written.first === first || first === last
  return isWhole ? [] : [{ kind: 'host-bits', of: place }]
}

const isAround = (outer: AddressRange | undefined, inner: AddressRange): boolean =>
  outer !== undefined && outer.family === inner.family && outer.last >= inner.last

function placedOf({ sites }: PolicyDocument): Placed[] {
  return sites.flatMap(({ uai, name, rooms }) =>
    rooms.flatMap(room =>
      room.networks.flatMap(network => {
        const range = parseCidr(network)
        return range === undefined
          ? []
          : [{ range, place: { network, uai, site: name, room: room.name } }]
      }),
    ),
  )
}

function byAddress({ range: a }: Placed, { range: b }: Placed): number {
  if (a.family !== b.family) return a.family - b.family
  if (a.first !== b.first) return a.first < b.first ? -1 : 1
  return a.last === b.last ? 0 : a.last > b.last ? -1 : 1
}

/** The same doubt of the same places: whoever agreed once is not asked again. */
export function doubtKey(doubt: NetworkDoubt): string {
  const places = doubt.kind === 'inside' ? [doubt.of, doubt.around] : [doubt.of]
  return JSON.stringify([
    doubt.kind,
    ...places.map(({ network, uai, room }) => [network, uai, room]),
  ])
}
