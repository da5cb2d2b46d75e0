/** Compares the ledger with the store: what was acknowledged is there once, in its state, with its one audit entry. */
import type { Grant } from '../../../src/policy/grant.ts'
import type { UnblockRequest } from '../../../src/policy/unblock-request.ts'
import type { AuditEntry, Store, Stored } from '../../../src/store/store.ts'
import type { Ledger } from './ledger.ts'

const EVERYTHING = 1_000_000

export interface Comparison {
  /** One line for each thing that is lost, doubled or in another state. */
  readonly lost: readonly string[]
  readonly compared: number
}

export async function compare(ledger: Ledger, store: Store): Promise<Comparison> {
  const requests = await everything(store, 'request')
  const grants = await everything(store, 'grant')
  const audit = await wholeAudit(store)
  const byHost = Map.groupBy(requests, ({ body }) => body.host as string)
  const lost = [
    ...lostClicks(ledger, byHost, audit),
    ...lostDecisions(ledger, requests, grants, audit),
    ...lostRevocations(ledger, grants, audit),
    ...doubled(byHost),
  ]
  return { lost, compared: ledger.acknowledged }
}

function* lostClicks(
  { clicks }: Ledger,
  byHost: ReadonlyMap<string, readonly Stored<'request'>[]>,
  audit: readonly AuditEntry[],
): Generator<string> {
  const opened = countBy(audit, 'request.open', ({ subject }) => subject)
  for (const { host, ip, state } of clicks) {
    const found = byHost.get(host) ?? []
    if (found.length === 0) yield `click of ${ip} for ${host}: no request`
    const isAsker = found.some(({ body }) => body.askers.some(asker => asker.ip === ip))
    const isWaiting = state === 'sent' || state === 'seen'
    if (found.length > 0 && isWaiting && !isAsker)
      yield `click of ${ip} for ${host}: not among those who asked`
    if ((opened.get(host) ?? 0) !== found.length)
      yield `${host}: ${opened.get(host) ?? 0} audit entries for ${found.length} requests`
  }
}

function* lostDecisions(
  { decisions }: Ledger,
  requests: readonly Stored<'request'>[],
  grants: readonly Stored<'grant'>[],
  audit: readonly AuditEntry[],
): Generator<string> {
  const byId = new Map<string, UnblockRequest>(requests.map(({ id, body }) => [id, body]))
  const granted = Map.groupBy(grants, ({ body }) => body.requestId ?? '')
  const entries = {
    approved: countBy(audit, 'request.approve', ({ detail }) => detail?.['requestId']),
    refused: countBy(audit, 'request.refuse', ({ detail }) => detail?.['requestId']),
  }
  for (const { requestId, host, outcome } of decisions) {
    const seen = byId.get(requestId)?.decision?.outcome
    if (seen !== outcome) yield `${host}: ${outcome} was acknowledged, the store says ${seen}`
    const times = entries[outcome].get(requestId) ?? 0
    if (times !== 1) yield `${host}: ${times} audit entries for one decision`
    const count = granted.get(requestId)?.length ?? 0
    if (count !== (outcome === 'approved' ? 1 : 0)) yield `${host}: ${outcome} with ${count} grants`
  }
}

function* lostRevocations(
  { revoked }: Ledger,
  grants: readonly Stored<'grant'>[],
  audit: readonly AuditEntry[],
): Generator<string> {
  const byId = new Map<string, Grant>(grants.map(({ id, body }) => [id, body]))
  const entries = countBy(audit, 'grant.revoke', ({ detail }) => detail?.['grantId'])
  for (const { grantId, host } of revoked) {
    if (byId.get(grantId)?.endedAt === undefined)
      yield `${host}: revoked, and its grant is in force`
    const times = entries.get(grantId) ?? 0
    if (times !== 1) yield `${host}: ${times} audit entries for one revocation`
  }
}

/** Each host of the load is asked for once, by one or two PCs: two requests are one click written twice. */
function* doubled(byHost: ReadonlyMap<string, readonly Stored<'request'>[]>): Generator<string> {
  for (const [host, found] of byHost)
    if (found.length > 1) yield `${host}: ${found.length} requests where one is right`
}

function countBy(
  audit: readonly AuditEntry[],
  action: string,
  keyOf: (entry: AuditEntry) => unknown,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const entry of audit) {
    if (entry.action !== action) continue
    const key = String(keyOf(entry))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

const PAGE = 500

async function everything<K extends 'request' | 'grant'>(
  store: Store,
  kind: K,
): Promise<Stored<K>[]> {
  const all: Stored<K>[] = []
  for (let before: string | undefined; all.length < EVERYTHING; before = all.at(-1)?.id) {
    const page = await store.list(kind, {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    })
    all.push(...page)
    if (page.length < PAGE) break
  }
  return all
}

async function wholeAudit(store: Store): Promise<AuditEntry[]> {
  const all: AuditEntry[] = []
  for (let before: number | undefined; all.length < EVERYTHING; before = all.at(-1)?.seq) {
    const page = await store.tail({ limit: PAGE, ...(before === undefined ? {} : { before }) })
    all.push(...page)
    if (page.length < PAGE) break
  }
  return all
}
