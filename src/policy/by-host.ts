/** Finds what the policy says of a host or of a parent of it. Compiled once for a snapshot, asked at every verdict. */
import type { Host } from './host.ts'
import type { Client } from './network.ts'

export type FindByHost<T> = (host: Host, client: Client, now: number) => T | undefined

/**
 * The first item that acts for this client now: those of the host itself, then of each parent, and for one host in the
 * order given. It covers sub-domains, never a parent (security case 102).
 */
export function compileByHost<T extends { readonly host: Host }>(
  items: readonly T[],
  acts: (item: T, client: Client, now: number) => boolean,
): FindByHost<T> {
  if (items.length === 0) return () => undefined
  const byHost = Map.groupBy(items, ({ host }) => host)
  const shortest = items.reduce((length, { host }) => Math.min(length, host.length), Infinity)
  return (host, client, now) => {
    // The end of an address is no host, so no item has it: an address needs no care of its own here.
    for (let name = host; name.length >= shortest;) {
      const found = byHost.get(name)?.find(item => acts(item, client, now))
      if (found !== undefined) return found
      const dot = name.indexOf('.')
      if (dot === -1) return undefined
      name = name.slice(dot + 1) as Host
    }
    return undefined
  }
}
