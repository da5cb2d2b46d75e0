/** Copies one store into another and compares what arrived; the target is a store only once it is the same. */
import { setImmediate as turn } from 'node:timers/promises'
import { PreauError } from '../../errors.ts'
import { Digest } from './digest.ts'
import type { Amount, Reading, Writing } from './transfer.ts'

export interface Copied extends Amount {
  readonly lastSeq: number
  /** Of all records and audit entries, the same on both sides. */
  readonly digest: string
}

/** `share`: from 0 to 1, over copying and comparing. */
export type OnProgress = (phase: 'copying' | 'comparing', share: number) => void

export interface CopyOptions {
  readonly onProgress?: OnProgress
  /** Gives it up. */
  readonly signal?: AbortSignal
}

/**
 * Moves everything from `source` to `target`, reads it there again, and makes it usable. Closes the source. Throws
 * PREAU_STORE_COPY_DIFFERS, the reason of `signal`, and what either side throws; the target is then no store.
 */
export async function copyStore(
  source: Reading,
  target: Writing,
  { onProgress, signal }: CopyOptions = {},
): Promise<Copied> {
  const told = (phase: 'copying' | 'comparing') => async (share: number) => {
    onProgress?.(phase, share)
    // What runs without a pause could not be stopped, nor be seen to go on.
    await turn()
    signal?.throwIfAborted()
  }
  try {
    const sent = await pass(source, told('copying'), target)
    assertWhole(source.amount, sent)
    const written = await target.reread(sent.lastSeq)
    const arrived = await compare(written, told('comparing'))
    assertSame(sent, arrived)
    await target.finish()
    return sent
  } catch (error) {
    await target.abandon()
    throw error
  } finally {
    await source.close()
  }
}

async function compare(
  written: Reading,
  onShare: (share: number) => Promise<void>,
): Promise<Copied> {
  try {
    return await pass(written, onShare)
  } finally {
    await written.close()
  }
}

/** Reads everything once, on its way into `target` where there is one. */
async function pass(
  reading: Reading,
  onShare: (share: number) => Promise<void>,
  target?: Writing,
): Promise<Copied> {
  const digest = new Digest()
  const total = Math.max(1, reading.amount.records + reading.amount.audit)
  const seen = { records: 0, audit: 0 }
  const tell = (): Promise<void> => onShare(Math.min(1, (seen.records + seen.audit) / total))
  for await (const rows of reading.records()) {
    digest.records(rows)
    await target?.put(rows)
    seen.records += rows.length
    await tell()
  }
  for await (const entries of reading.audit()) {
    digest.audit(entries)
    await target?.append(entries)
    seen.audit += entries.length
    await tell()
  }
  const { lastSeq } = reading
  return { ...seen, lastSeq, digest: digest.end(lastSeq) }
}

/** What was lost while it was read would be missing on both sides, and these be the same. */
function assertWhole(amount: Amount, sent: Copied): void {
  if (sent.records !== amount.records || sent.audit !== amount.audit) throw differs(amount, sent)
}

function assertSame(sent: Copied, arrived: Copied): void {
  if (sent.digest !== arrived.digest) throw differs(sent, arrived)
}

const differs = (sent: Amount, found: Amount): PreauError =>
  new PreauError('PREAU_STORE_COPY_DIFFERS', {
    sentRecords: sent.records,
    sentAudit: sent.audit,
    foundRecords: found.records,
    foundAudit: found.audit,
  })
