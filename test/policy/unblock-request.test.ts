import t from 'tap'
import { facetsOf, type Change } from '../../src/policy/document.ts'
import type { Grant } from '../../src/policy/grant.ts'
import {
  approve,
  joinRequest,
  MAX_ASKERS,
  openRequest,
  refuse,
  untilOf,
  type UnblockRequest,
} from '../../src/policy/unblock-request.ts'
import { aSnapshot, host } from '../support/snapshot.ts'

const NOW = Date.parse('2026-11-23T10:00:00+01:00')
const snapshot = aSnapshot()
const pc = (ip: string) => snapshot.networks(host(ip))
const verdict = {
  action: 'block',
  reason: 'blocked-category',
  category: 'games',
  requestable: true,
} as const
const refusal = {
  client: pc('10.1.2.3'),
  target: { host: host('games.test'), port: 443 },
  verdict,
  scheme: 'https',
} as const
const opened = openRequest('r1', refusal, { url: 'https://games.test/chess', hints: [] }, NOW)
const approval = {
  grantId: 'g1',
  scope: 'pc',
  duration: 'hour',
  by: 'alice',
  now: NOW + 5_000,
  timeZone: 'Europe/Paris',
} as const
const grantIn = (changes: Change[]): Grant =>
  changes.find(change => change.kind === 'grant')?.body as Grant

t.test('a request says what, why, where and when', async t => {
  t.match(opened, {
    host: 'games.test',
    category: 'games',
    site: '0750001A',
    siteName: 'École Jean-Moulin',
    askers: [{ ip: '10.1.2.3', room: 'Salle 1', at: NOW }],
    clicks: 1,
  })
})

t.test('a second click of the same PC counts, but is not a second PC', async t => {
  const joined = joinRequest(opened, pc('10.1.2.3'), NOW + 1)
  t.equal(joined.clicks, 2)
  t.equal(joined.askers.length, 1)
  t.equal(joinRequest(joined, pc('10.1.9.1'), NOW + 2).askers.length, 2)
})

t.test('a school of a thousand PCs does not make a record without end', async t => {
  let request: UnblockRequest = opened
  for (let i = 0; i < 1_000; i++)
    request = joinRequest(request, pc(`10.1.${i >> 8}.${i & 255}`), NOW)
  t.equal(request.askers.length, MAX_ASKERS)
  t.equal(request.clicks, 1_001)
})

t.test('an approval decides the request and makes the grant in one commit', async t => {
  const changes = approve({ version: 7, body: opened }, approval)
  t.match(changes, [
    {
      kind: 'request',
      id: 'r1',
      expects: 7,
      body: { decision: { outcome: 'approved', by: 'alice', grant: 'g1' } },
    },
    {
      kind: 'grant',
      id: 'g1',
      expects: 'absent',
      body: { host: 'games.test', origin: 'approved', requestId: 'r1' },
    },
  ])
  t.strictSame(changes.map(facetsOf), [
    ['approved', 'host:games.test'],
    ['active', 'active:approved', 'host:games.test'],
  ])
})

t.test('each scope means the PC, the room, the school or the city of the request', async t => {
  const scopeOf = (scope: 'pc' | 'room' | 'site' | 'city') =>
    grantIn(approve({ version: 1, body: opened }, { ...approval, scope })).scope
  t.strictSame(scopeOf('pc'), { kind: 'pc', ip: '10.1.2.3' })
  t.strictSame(scopeOf('room'), { kind: 'room', site: '0750001A', room: 'Salle 1' })
  t.strictSame(scopeOf('site'), { kind: 'site', site: '0750001A' })
  t.strictSame(scopeOf('city'), { kind: 'city' })
})

t.test('each duration ends when people expect it', async t => {
  t.equal(untilOf('hour', NOW, 'Europe/Paris'), NOW + 3_600_000)
  t.equal(untilOf('day', NOW, 'Europe/Paris'), Date.parse('2026-11-24T00:00:00+01:00'))
  t.equal(untilOf('week', NOW, 'Europe/Paris'), NOW + 7 * 86_400_000)
  t.equal(untilOf('forever', NOW, 'Europe/Paris'), null)
})

t.test('a refusal carries the reason that the teacher will read', async t => {
  const [change] = refuse(
    { version: 2, body: opened },
    { by: 'bob', reason: 'Jeu sans lien avec un cours', now: NOW },
  )
  t.match(change, {
    kind: 'request',
    expects: 2,
    body: { decision: { outcome: 'refused', reason: 'Jeu sans lien avec un cours' } },
  })
  t.same(change && facetsOf(change), ['refused', 'host:games.test'])
})

t.test('what is decided is not decided again, and the second person is told by whom', async t => {
  const decided = approve({ version: 1, body: opened }, approval)[0]?.body as UnblockRequest
  for (const again of [
    () => approve({ version: 2, body: decided }, approval),
    () => refuse({ version: 2, body: decided }, { by: 'bob', reason: 'x', now: NOW }),
  ]) {
    t.throws(again, { code: 'PREAU_ALREADY_DECIDED', params: { by: 'alice' } })
  }
})
