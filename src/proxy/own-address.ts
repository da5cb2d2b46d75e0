/** Which addresses are this machine's own: Préau dials none of them on its own ports, by whatever name it is asked. */
import { networkInterfaces } from 'node:os'
import { parseHost, type Host } from '../policy/host.ts'

/** Whether an address is one of this machine. Read anew each time: a machine's addresses change. */
export function isOwnAddress(address: Host): boolean {
  if (/^(?:127\.|0\.0\.0\.0$|::1$|::$)/.test(address)) return true
  return Object.values(networkInterfaces()).some(list =>
    list?.some(entry => parseHost(entry.address.replace(/%.*$/, '')) === address),
  )
}
