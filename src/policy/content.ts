/**
 * What a connection to an allowed host carries, where the policy has a word on that too. A port 443 is for TLS, whose first
 * message names the site; anything else is seen by no list. A profile may have it for all hosts, a local rule for its own.
 */
import type { Target } from './host.ts'
import type { Client } from './network.ts'
import type { LocalRule } from './policy-document.ts'
import type { Snapshot } from './snapshot.ts'

/** What can be told of a connection without opening it. */
export type Content = 'not-tls' | 'websocket'

const TLS_PORT = 443

/** Who lets a tunnel to port 443 carry something other than TLS: the profile, or the rule that decides for its host. */
export function tunnelOpener(
  { profiles, rules }: Snapshot,
  client: Client,
  { host }: Target,
  now: number,
): 'profile' | LocalRule | undefined {
  if (profiles.get(client.profile)?.tunnels === 'any') return 'profile'
  const rule = rules.deciding(host, client, now)
  return rule?.action === 'allow' && rule.tunnels === 'any' ? rule : undefined
}

/** Whether an allowed connection may carry that. */
export function mayCarry(
  content: Content,
  snapshot: Snapshot,
  client: Client,
  target: Target,
  now: number,
): boolean {
  if (content === 'websocket') return snapshot.profiles.get(client.profile)?.webSockets !== 'block'
  return target.port !== TLS_PORT || tunnelOpener(snapshot, client, target, now) !== undefined
}

/** Whether it makes a difference for a target who lets it carry more. */
export const isForTls = ({ port }: Target): boolean => port === TLS_PORT
