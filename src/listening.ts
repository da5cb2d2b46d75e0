/** How a part of Préau listens: on the socket that the supervisor holds, or on one of its own. */
import type { AddressInfo, Server } from 'node:net'

/** What waits to be accepted while a process is busy or away; the system may allow less (net.core.somaxconn). */
const BACKLOG = 4_096

/** `fd`: descriptor of a bound socket. */
export type ListenAt = { readonly fd: number } | { readonly host: string; readonly port: number }

/** Resolves with where it listens; rejects with the error of the system. */
export function listen(server: Server, at: ListenAt): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    }
    server.once('error', reject)
    // Node reads the backlog of a descriptor from the second argument only.
    if ('fd' in at) server.listen({ fd: at.fd }, BACKLOG, onListening)
    else server.listen({ ...at, backlog: BACKLOG }, onListening)
  })
}
