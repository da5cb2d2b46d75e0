/** Tunnels in which a ClientHello and its answer have passed and then nothing does. They stay open from order to order. */
import type { Socket } from 'node:net'
import { HELLO, HELLO_ANSWER } from '../bytes.ts'
import { connectThrough } from './connect-through.ts'
import { repeat, type Aim, type Figures } from './figures.ts'

const SOURCES = 8
const AT_ONCE = 32
const open = new Set<Socket>()

function idle(aim: Aim, localAddress: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    const socket = connectThrough({
      ...aim,
      localAddress,
      onOpen: tunnel => {
        tunnel.listen(bytes => {
          if (bytes.compare(HELLO_ANSWER, seen, seen + bytes.length) !== 0)
            throw new Error('not the answer of the origin')
          seen += bytes.length
          if (seen < HELLO_ANSWER.length) return
          socket.setTimeout(0)
          open.add(socket)
          resolve()
        })
        socket.write(HELLO)
      },
      onClose: failure => {
        open.delete(socket)
        reject(failure ?? new Error(`an idle tunnel was closed after ${seen} bytes`))
      },
    })
  })
}

/** Opens tunnels until `total` stand; rejects where one that stood has gone. */
export async function openIdle(order: Aim & { total: number }): Promise<Figures> {
  const missing = order.total - open.size
  const figures = await repeat(missing, AT_ONCE, number =>
    idle(order, `127.0.0.${1 + (number % SOURCES)}`),
  )
  if (open.size !== order.total) throw new Error(`${open.size} of ${order.total} tunnels stand`)
  return figures
}

/** Closes them all; rejects where fewer than `total` still stood. */
export async function closeIdle({ total }: { total: number }): Promise<Figures> {
  const stood = open.size
  for (const socket of open) socket.destroy()
  open.clear()
  if (stood !== total) throw new Error(`${stood} of ${total} tunnels still stood`)
  return { count: stood, seconds: 0, p50: 0, p99: 0 }
}
