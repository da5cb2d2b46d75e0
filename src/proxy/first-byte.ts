/** The first byte that a client sends, looked at and left in the stream. */
import type { Socket } from 'node:net'
import { PreauError } from '../errors.ts'

/** Rejects when the client leaves before it has sent any. */
export function firstByte(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      settle()
      socket.unshift(chunk)
      resolve(chunk[0])
    }
    const fail = (): void => {
      settle()
      reject(new PreauError('PREAU_BAD_REQUEST'))
    }
    const settle = (): void => {
      socket.off('readable', look)
      socket.off('end', fail)
      socket.off('close', fail)
    }
    socket.on('readable', look)
    socket.once('end', fail)
    socket.once('close', fail)
    look()
  })
}
