/** Bytes for the admin app as they are, from a client that need not be a browser. */
import { connect, type AddressInfo } from 'node:net'
import { readUntil } from '../support/proxy-world.ts'
import type { World } from './world.ts'

/** All that it answers to them, until it closes. It must listen. */
export async function askRaw({ app }: World, bytes: string): Promise<string> {
  const { port } = app.server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  socket.write(bytes)
  const answer = await readUntil(socket)
  socket.destroy()
  return answer
}
