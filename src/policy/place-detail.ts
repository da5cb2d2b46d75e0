/** Where something was decided or asked, for the journal: names that are searched, where a record's id says nothing. */
import type { Scope } from './grant.ts'
import { UNKNOWN_SITE, type Client, type SiteId } from './network.ts'
import type { UnblockRequest } from './unblock-request.ts'

const MAX_ROOMS = 200

interface PlaceDetail {
  readonly site?: SiteId
  readonly room?: string
  readonly pc?: string
}

/** The school and the rooms that asked, and the PC where nobody knows its network. */
export function placeOfRequest({ site, askers }: UnblockRequest): PlaceDetail {
  const [first] = askers
  if (site === UNKNOWN_SITE && first !== undefined) return { site, pc: first.ip }
  const rooms = new Set(askers.map(({ room }) => room).filter(room => room !== ''))
  const room = [...rooms].join(', ').slice(0, MAX_ROOMS)
  return { site, ...(room === '' ? {} : { room }) }
}

export function placeOfClient({ site, room }: Client): PlaceDetail {
  return { site, ...(room === '' ? {} : { room }) }
}

export function placeOfScope(scope: Scope): PlaceDetail {
  switch (scope.kind) {
    case 'pc':
      return { pc: scope.ip }
    case 'room':
      return { site: scope.site, room: scope.room }
    case 'site':
      return { site: scope.site }
    case 'city':
      return {}
    default:
      return scope satisfies never
  }
}
