/** Whether an address is one of this machine. Read anew each time: a machine's addresses change. */
import { networkInterfaces } from 'node:os'
import { parseHost, type Host } from '../policy/host.ts'

export function isOwnAddress(address: Host): boolean {
  if (/^(?:127\.|0\.|::1$|::$)/.test(address)) return true
  return Object.values(networkInterfaces()).some(list =>
    list?.some(entry => parseHost(entry.address.replace(/%.*$/, '')) === address),
  )
}
