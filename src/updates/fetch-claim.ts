/**
 * Of all machines and processes on one store, one asks a source at a time: it says so first, with the version of the record
 * that it has seen, and again and again while it is at work. One that died is heard no more, and another takes over.
 */
import { randomUUID } from 'node:crypto'
import { hasCode, PreauError } from '../errors.ts'
import { machineName } from '../machine.ts'
import { liveClaim, type FetchClaim, type FetchStatus } from '../policy/list-source.ts'
import type { Stored } from '../store/store.ts'
import type { RecordDeps } from './fetch-record.ts'

/** Longer than two renewals, and than what the clocks of two machines may differ by. */
const LEASE_MS = 150_000
const RENEW_MS = 60_000

export interface HeldClaim {
  /** Renews it no more; the record of how it went ends it. */
  stop(): void
}

/**
 * Claims a source. `isScheduled`: only while it is due, and undefined when another one has it or has had it already.
 * Asked for by a person, throws PREAU_FETCH_ELSEWHERE then. Throws PREAU_STORE_UNAVAILABLE.
 */
export async function claimFetch(
  deps: RecordDeps,
  name: string,
  by: string,
  { isScheduled }: { readonly isScheduled: boolean },
): Promise<HeldClaim | undefined> {
  const { store, config, clock } = deps
  const known = await store.get('fetch', name)
  const now = clock()
  const other = liveClaim(known?.body, now)
  if (other !== undefined && !isDeadHere(other, machineName(config))) return refuse(name, other)
  if (isScheduled && known !== undefined && known.body.nextAt > now) return undefined
  const claim = {
    id: randomUUID(),
    machine: machineName(config),
    pid: process.pid,
    at: now,
    until: now + LEASE_MS,
  }
  const body = { nextAt: now, ...known?.body, claim }
  try {
    await write(deps, name, 'source.claim', by, known, body)
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
    return claimFetch(deps, name, by, { isScheduled })
  }
  const timer = setInterval(
    () => void renew(deps, name, by, claim).catch(() => undefined),
    RENEW_MS,
  )
  timer.unref()
  return { stop: () => clearInterval(timer) }

  function refuse(list: string, { machine }: FetchClaim): undefined {
    if (isScheduled) return undefined
    throw new PreauError('PREAU_FETCH_ELSEWHERE', { name: list, machine })
  }
}

/** Where it cannot be renewed the work goes on: two machines at work do no harm to the lists, only to the source. */
async function renew(deps: RecordDeps, name: string, by: string, claim: FetchClaim): Promise<void> {
  const known = await deps.store.get('fetch', name)
  if (known?.body.claim?.id !== claim.id) return
  const body = { ...known.body, claim: { ...claim, until: deps.clock() + LEASE_MS } }
  await write(deps, name, 'source.renew', by, known, body)
}

async function write(
  { store, config, clock }: RecordDeps,
  name: string,
  action: string,
  by: string,
  known: Stored<'fetch'> | undefined,
  body: FetchStatus,
): Promise<void> {
  const detail = { machine: machineName(config) }
  await store.commit({ by, action, subject: name, detail, at: clock() }, [
    { kind: 'fetch', id: name, expects: known?.version ?? 'absent', body },
  ])
}

/** A process of this machine that is gone need not be waited for. */
function isDeadHere({ machine, pid }: FetchClaim, here: string): boolean {
  if (machine !== here) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
