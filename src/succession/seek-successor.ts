/** What a child does whose supervisor has gone: it looks for the successor, over and over, says who it is and does what it is told. */
import type { Socket } from 'node:net'
import { openMeetingPlace, visit } from './meeting-place.ts'
import { orderSchema, readLines, sayLine, type Hello, type Order } from './lines.ts'

/** A supervisor that starts waits some seconds for those who hold its ports. */
const RETRY_MS = 100

export interface Seeking {
  readonly dataDir: string
  readonly self: Hello
  /** May be called again: a later order shortens the time. */
  readonly onOrder: (order: Order) => unknown
}

/**
 * The connection stays open until this process ends: that is how the successor knows that it has not ended yet. Answers
 * the function that gives up.
 */
export function seekSuccessor({ dataDir, self, onOrder }: Seeking): () => void {
  let isOver = false
  let connection: Socket | undefined
  // Where a successor dies before it has said anything, another one will come.
  const again = (): unknown => setTimeout(seek, RETRY_MS)
  const seek = (): void => {
    if (isOver) return
    try {
      const place = openMeetingPlace(dataDir)
      const socket = visit(place)
      connection = socket
      socket.once('connect', () => sayLine(socket, self))
      readLines(socket, orderSchema, order => {
        isOver = true
        onOrder(order)
      })
      socket.on('error', () => undefined)
      socket.once('close', () => {
        place.close()
        again()
      })
    } catch {
      // No descriptor left, or no folder: perhaps the next time.
      again()
    }
  }
  seek()
  return () => {
    isOver = true
    connection?.destroy()
  }
}
