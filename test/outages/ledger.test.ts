/** The comparison of the ledger with the store finds what is lost, doubled, or not written down: else the soak would prove nothing. */
import t from 'tap'
import { join } from 'node:path'
import type { Change } from '../../src/policy/document.ts'
import type { Grant } from '../../src/policy/grant.ts'
import type { UnblockRequest } from '../../src/policy/unblock-request.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { host } from '../support/snapshot.ts'
import { compare } from './ledger/compare.ts'
import { Ledger } from './ledger/ledger.ts'

const request = (id: string, name: string, decision?: UnblockRequest['decision']): Change => ({
  kind: 'request',
  id,
  body: {
    id,
    host: host(name),
    port: 80,
    url: `http://${name}/`,
    reason: 'blocked-category',
    site: '0750001A',
    siteName: 'a',
    askers: [{ ip: host('127.0.4.1'), room: 'r', at: 0 }],
    clicks: 1,
    at: 0,
    lastAt: 0,
    ...(decision === undefined ? {} : { decision }),
  },
})

const grant = (id: string, requestId: string, end: Partial<Grant> = {}): Change => ({
  kind: 'grant',
  id,
  body: {
    id,
    host: host('a.test'),
    scope: { kind: 'city' },
    origin: 'approved',
    by: 'Claire',
    at: 0,
    until: null,
    requestId,
    ...end,
  },
})

const APPROVED = { outcome: 'approved', by: 'Claire', at: 0, grant: 'g1' } as const
const click = (name: string, ip = '127.0.4.1') => ({ host: name, ip, state: 'sent' })

t.test('what is there is found, and everything that is not is named', async t => {
  const store = await openSqliteStore(join(t.testdir(), 'preau.db'))
  t.teardown(() => store.close())
  const write = (action: string, changes: Change[], detail = {}, subject = 'a.test') =>
    store.commit({ by: 'test', action, subject, detail, at: 0 }, changes)
  await write('request.open', [request('r1', 'a.test')])
  await write('request.approve', [request('r1', 'a.test', APPROVED), grant('g1', 'r1')], {
    requestId: 'r1',
  })
  await write('grant.revoke', [grant('g1', 'r1', { endedAt: 1, endedBy: 'Claire' })], {
    grantId: 'g1',
  })
  const ledger = new Ledger()
  ledger.clicks.push(click('a.test'))
  ledger.decisions.push({ requestId: 'r1', host: 'a.test', outcome: 'approved' })
  ledger.revoked.push({ grantId: 'g1', host: 'a.test' })
  t.strictSame(await compare(ledger, store), { lost: [], compared: 3 })

  ledger.clicks.push(click('b.test'), click('a.test', '127.0.4.2'))
  ledger.decisions.push({ requestId: 'r2', host: 'b.test', outcome: 'refused' })
  ledger.revoked.push({ grantId: 'g2', host: 'b.test' })
  // Written twice: one click, one decision.
  await write('request.open', [request('r3', 'c.test')], {}, 'c.test')
  await write('request.open', [request('r4', 'c.test')], {}, 'c.test')
  await write('request.approve', [], { requestId: 'r1' })
  const { lost } = await compare(ledger, store)
  t.strictSame(lost, [
    'click of 127.0.4.1 for b.test: no request',
    'click of 127.0.4.2 for a.test: not among those who asked',
    'a.test: 2 audit entries for one decision',
    'b.test: refused was acknowledged, the store says undefined',
    'b.test: 0 audit entries for one decision',
    'b.test: revoked, and its grant is in force',
    'b.test: 0 audit entries for one revocation',
    'c.test: 2 requests where one is right',
  ])
})
