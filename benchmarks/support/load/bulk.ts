/** Gigabytes through a few tunnels, down or up, every byte checked; also with a slow reader and a hasty writer. */
import { once } from 'node:events'
import { createPatternCheck, sendPattern, sendPatternHastily } from '../bytes.ts'
import { readSlowly } from '../slow-reader.ts'
import { connect, type Socket } from 'node:net'
import { connectThrough, type Tunnel } from './connect-through.ts'
import { repeat, type Aim, type Figures } from './figures.ts'

export type Way = 'down' | 'up' | 'down to a slow reader' | 'up from a hasty writer'

function open(aim: Aim): Promise<{ tunnel: Tunnel; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const closed = Promise.withResolvers<void>()
    connectThrough({
      ...aim,
      onOpen: tunnel => resolve({ tunnel, closed: closed.promise }),
      onClose: failure => {
        if (failure === undefined) closed.resolve()
        else {
          reject(failure)
          closed.reject(failure)
        }
      },
    })
    closed.promise.catch(() => undefined)
  })
}

async function down(aim: Aim, bytes: number): Promise<void> {
  const { tunnel, closed } = await open(aim)
  const check = createPatternCheck()
  let seen = 0
  tunnel.listen(chunk => {
    seen = check(chunk)
    if (seen === bytes) tunnel.socket.end()
  })
  tunnel.socket.write(`d${bytes};`)
  await closed
  assertAll(seen, bytes, 'down')
}

/** `isHasty`: everything is written at once, and the origin reads slowly. */
async function up(aim: Aim, bytes: number, isHasty: boolean): Promise<void> {
  const { tunnel, closed } = await open(aim)
  let said = ''
  const begun = Promise.withResolvers<void>()
  tunnel.listen(chunk => {
    said += chunk.toString('latin1')
    begun.resolve()
    if (said === '+all') tunnel.socket.end()
  })
  tunnel.socket.write(`${isHasty ? 's' : 'u'}${bytes};`)
  await Promise.race([begun.promise, closed])
  if (isHasty) sendPatternHastily(tunnel.socket, bytes)
  else await sendPattern(tunnel.socket, bytes)
  await closed
  if (said !== '+all') throw new Error(`the origin got other bytes, and said ${said}`)
}

/** Through Node's streams: with `onread` there is nothing that could be read slowly. */
async function downSlowly({ port, authority }: Aim, bytes: number): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!/^HTTP\/1\.[01] 200 /.test(head.toString('latin1'))) throw new Error(head.toString('latin1'))
  const check = createPatternCheck()
  let seen = 0
  let failure: unknown
  readSlowly(socket, chunk => {
    try {
      seen = check(chunk)
      if (seen === bytes) socket.end()
    } catch (error) {
      failure = error
      socket.destroy()
    }
  })
  socket.write(`d${bytes};`)
  await once(socket, 'close')
  if (failure instanceof Error) throw failure
  assertAll(seen, bytes, 'down to a slow reader')
}

function assertAll(seen: number, bytes: number, way: string): void {
  if (seen !== bytes) throw new Error(`${seen} of ${bytes} bytes went ${way}`)
}

/** `bytes` in all, through `atOnce` tunnels. */
export function downAndUp(
  order: Aim & { way: Way; bytes: number; atOnce: number },
): Promise<Figures> {
  const each = Math.floor(order.bytes / order.atOnce)
  return repeat(order.atOnce, order.atOnce, () => {
    switch (order.way) {
      case 'down':
        return down(order, each)
      case 'up':
        return up(order, each, false)
      case 'down to a slow reader':
        return downSlowly(order, each)
      case 'up from a hasty writer':
        return up(order, each, true)
      default:
        throw new TypeError(order.way satisfies never)
    }
  })
}
