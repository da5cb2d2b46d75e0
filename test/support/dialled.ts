/** A dial as a promise: the socket that stands, or the reason why none does. */
import type { Socket } from 'node:net'
import type { Target } from '../../src/policy/host.ts'
import type { Dial } from '../../src/proxy/dial.ts'

export function dialled(dial: Dial, target: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    dial(target, (socket, error) => {
      if (socket === undefined) reject(error)
      else resolve(socket)
    })
  })
}
