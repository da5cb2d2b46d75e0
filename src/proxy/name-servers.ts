/**
 * Questions to the DNS, asked of its servers directly: the system's own resolver works on two at a time in a process, so that
 * a few names whose server is mute would hold up everybody's.
 */
import { Resolver } from 'node:dns/promises'
import type { Host } from '../policy/host.ts'

export interface NameServersOptions {
  /** Addresses of servers, with a port or without; empty: those of the system. */
  readonly servers: readonly string[]
  /** Time for a question, all servers and tries together; 0: no bound of ours. */
  readonly timeoutMs: number
}

/** A question on its way. `answer` rejects with the error of `node:dns`; after `cancel` with ECANCELLED. */
export interface Question {
  readonly answer: Promise<readonly string[]>
  cancel(): void
}

export type AskDns = (host: Host) => Question

const TRIES = 2
const MIN_TRY_MS = 1_000
const DEFAULT_TRY_MS = 2_500
/** A try is a quarter of the time: two servers, two tries each. */
const TRIES_IN_TIME = 4
/** Channels that wait for their next question. */
const MAX_SPARE = 64
/** After one family of addresses has come, how long the other is waited for (RFC 8305 §3 asks for 50; a server far away needs more). */
const OTHER_FAMILY_MS = 250

export function createNameServers({ servers, timeoutMs }: NameServersOptions): AskDns {
  const timeout =
    timeoutMs === 0 ? DEFAULT_TRY_MS : Math.max(MIN_TRY_MS, Math.floor(timeoutMs / TRIES_IN_TIME))
  const spare: Resolver[] = []
  const open = (): Resolver => {
    const channel = new Resolver({ timeout, tries: TRIES })
    if (servers.length > 0) channel.setServers([...servers])
    return channel
  }
  // Each question has a channel to itself: one answer that cannot be read fails all questions of its channel (c-ares closes the
  // connection that they share), and a question is cancelled by cancelling its channel.
  return host => {
    const channel = spare.pop() ?? open()
    const answer = addressesOf(channel, host)
    answer.then(
      () => {
        if (spare.length < MAX_SPARE) spare.push(channel)
      },
      // A channel that has failed may remember its servers as broken: the next question begins with a new one.
      () => undefined,
    )
    return { answer, cancel: () => channel.cancel() }
  }
}

async function addressesOf(channel: Resolver, host: Host): Promise<readonly string[]> {
  const families = [channel.resolve4(host), channel.resolve6(host)]
  let isOver = false
  let patience: NodeJS.Timeout | undefined
  // A server that is mute for one of the families only must not take away the other.
  Promise.any(families.map(family => family.then(nonEmpty))).then(
    () => {
      // A channel whose question is over may have the next one already.
      if (!isOver) patience = setTimeout(() => channel.cancel(), OTHER_FAMILY_MS)
    },
    () => undefined,
  )
  const [v4, v6] = await Promise.allSettled(families)
  isOver = true
  clearTimeout(patience)
  const found = [v4, v6].flatMap(result => (result?.status === 'fulfilled' ? result.value : []))
  if (found.length === 0 && v4?.status === 'rejected') throw v4.reason
  return found
}

function nonEmpty(addresses: readonly string[]): readonly string[] {
  if (addresses.length === 0) throw new RangeError('no address of this family')
  return addresses
}
