/** What a city writes: clicks and grants as the product itself writes them, in any number. */
import { randomUUIDv7 } from 'node:crypto'
import type { Change } from '../../src/policy/document.ts'
import type { Grant } from '../../src/policy/grant.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { latestKeyOf, type UnblockRequest } from '../../src/policy/unblock-request.ts'
import type { CommitNote } from '../../src/store/store.ts'

const host = (name: string): Host => parseHost(name) as Host
const ip = (i: number): Host => host(`10.${(i >> 8) & 63}.${i & 255}.7`)
const uai = (i: number): string => `059${String(i % 50).padStart(4, '0')}A`

export function aRequest(i: number, at = Date.now()): UnblockRequest {
  return {
    id: randomUUIDv7(),
    host: host(`www.site${i}.example`),
    port: 443,
    url: `https://www.site${i}.example/une/page`,
    reason: 'blocked-category',
    category: 'games',
    site: uai(i),
    siteName: 'École élémentaire Jean-Moulin',
    askers: [{ ip: ip(i), room: 'Salle informatique', at }],
    clicks: 1,
    at,
    lastAt: at,
  }
}

export function aGrant(i: number, at = Date.now()): Grant {
  return {
    id: randomUUIDv7(),
    host: host(`www.granted${i}.example`),
    scope: { kind: 'site', site: uai(i) },
    origin: 'approved',
    by: 'dsi',
    at,
    until: at + 36_000_000,
  }
}

/** The click of a pupil: a request, the pointer to it, and an audit entry. */
export function openCommit(body: UnblockRequest): [CommitNote, Change[]] {
  const by = `pc:${body.askers[0]?.ip}`
  return [
    { by, action: 'request.open', subject: body.host, at: body.at },
    [
      { kind: 'request', id: body.id, expects: 'absent', body },
      { kind: 'latest', id: latestKeyOf(body), body: { requestId: body.id } },
    ],
  ]
}

export const aCommit = (i: number): [CommitNote, Change[]] => openCommit(aRequest(i))
