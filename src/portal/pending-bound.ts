/** How many requests a PC and a school may have pending. The store counts, so that all workers and machines agree. */
import type { Limits } from '../config.ts'
import { networkOf } from '../policy/address.ts'
import type { Client } from '../policy/network.ts'
import type { Store } from '../store/store.ts'

export type PendingBounds = Pick<Limits, 'pendingPerPc' | 'pendingPerSite'>

/**
 * The limit that keeps this client from opening one request more; undefined: none. Whoever opens one at the same moment
 * in another process is not seen, so a bound may be passed by one for each of them. Throws what the store throws.
 */
export async function pendingLimit(
  store: Pick<Store, 'count'>,
  { pendingPerPc, pendingPerSite }: PendingBounds,
  { ip, site }: Client,
): Promise<keyof PendingBounds | undefined> {
  const reaches = async (facet: string, max: number): Promise<boolean> =>
    max !== 0 && (await store.count('request', facet)) >= max
  const [isPcFull, isSiteFull] = await Promise.all([
    reaches(`pending-pc:${networkOf(ip)}`, pendingPerPc),
    reaches(`pending-site:${site}`, pendingPerSite),
  ])
  if (isPcFull) return 'pendingPerPc'
  return isSiteFull ? 'pendingPerSite' : undefined
}
