/** Stands between a store and its Redis, knows one command when it sees it, and does to it what networks and servers do. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import { CommandReader } from '../support/resp.ts'

export type Fault =
  /** Redis has executed it; the connection ends in place of its answer. */
  | { readonly kind: 'cut-answer' }
  /** The connection ends in the middle of the command. */
  | { readonly kind: 'cut-command' }
  /** The answer comes so late. */
  | { readonly kind: 'late-answer'; readonly ms: number }
  /** The command itself comes so late at Redis. */
  | { readonly kind: 'late-command'; readonly ms: number }
  /** It does not come there: an error is answered, e.g. `LOADING Redis is loading`. */
  | { readonly kind: 'error'; readonly text: string }

export interface Relay {
  readonly url: string
  /** How often the command was sent, whole or in part. */
  readonly sent: number
  /** From now on the command is the one that has `mark` in it, and has been sent never; the first one meets the fault. */
  await(mark: string, fault: Fault): void
}

export async function openRelay(t: Test, port: number): Promise<Relay> {
  let [mark, sent] = ['', 0]
  let fault: Fault | undefined
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const redis = connect(port, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      redis.destroy()
    }
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', () => sockets.delete(socket))
    }
    // Where the client has gone Redis still gets what is on its way.
    client.on('close', () => redis.end())
    redis.on('close', end)
    let answer = (chunk: Buffer): unknown => client.write(chunk)
    redis.on('data', (chunk: Buffer) => answer(chunk))
    const meet = async (command: Buffer, met: Fault): Promise<void> => {
      if (met.kind === 'error') return void client.write(`-${met.text}\r\n`)
      if (met.kind === 'cut-command') {
        redis.write(command.subarray(0, command.length / 2))
        return end()
      }
      if (met.kind === 'cut-answer') answer = end
      if (met.kind === 'late-answer')
        answer = async chunk => {
          await wait(met.ms)
          client.write(chunk)
        }
      if (met.kind === 'late-command') {
        // A connection of the network's own making: that of the client may have ended by then.
        const late = connect(port, '127.0.0.1')
        sockets.add(late)
        await wait(met.ms)
        late.end(command)
        return
      }
      redis.write(command)
    }
    const commands = new CommandReader()
    client.on('data', (chunk: Buffer) => {
      for (const command of commands.feed(chunk)) {
        const isMarked = mark !== '' && command.includes(mark)
        if (isMarked) sent += 1
        const met = isMarked ? fault : undefined
        if (met === undefined) redis.write(command)
        else {
          fault = undefined
          void meet(command, met)
        }
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent
    },
    await(nextMark, nextFault) {
      ;[mark, fault, sent] = [nextMark, nextFault, 0]
    },
  }
}
