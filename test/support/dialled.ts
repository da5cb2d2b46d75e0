/** A dial as a promise: the socket that stands, or the reason why none does. */
import type { Socket } from 'node:net'
import type { Host, Target } from '../../src/policy/host.ts'
import type { Dial } from '../../src/proxy/dial.ts'

/** Of no school. */
export const A_PC = { ip: '192.0.2.1' as Host, site: 'unknown' }

export function dialled(dial: Dial, target: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    dial(target, A_PC, (socket, error) => {
      if (socket === undefined) reject(error)
      else resolve(socket)
    })
  })
}
