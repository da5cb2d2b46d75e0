/**
 * What a connection to an origin says passes here before Node's parser reads it: the head of each answer is looked at and
 * mended (`answer-head.ts`), all that follows goes by as it is. Who asks tells when an answer is due.
 */
import { Socket } from 'node:net'
import { endOfCleanHead, mendHead } from './answer-head.ts'

/** What comes is no head, or none of that size. The connection is for the listener to end. */
export type OnFault = (isTooLarge: boolean) => void

const READING = Symbol('reading of heads')
interface Reading {
  readonly maxBytes: number
  readonly onFault: OnFault
  isDue: boolean
  /** The last head came without a byte of what it announces. */
  isBare: boolean
  /** What has come of a head. */
  kept: Buffer | undefined
}
type Read = Socket & { [READING]?: Reading }

/** From now on heads of more than `maxBytes` are refused; the first answer is due. */
export function readHeads(socket: Socket, maxBytes: number, onFault: OnFault): void {
  const read: Read = socket
  read[READING] = { maxBytes, onFault, isDue: true, isBare: false, kept: undefined }
  // What the system has read comes through this method, and nothing else does.
  socket.push = push
}

/** Another answer is due on a connection whose heads are read. */
export function expectHead(socket: Read): void {
  const reading = socket[READING]
  if (reading !== undefined) reading.isDue = true
}

/** Whether an answer is due whose head has not come whole. */
export function isHeadDue(socket: Read): boolean {
  return socket[READING]?.isDue === true
}

/** Whether the head that came last came alone: its body is still to come, or there is none. */
export function isHeadBare(socket: Read): boolean {
  return socket[READING]?.isBare === true
}

function push(this: Read, chunk: Buffer | null): boolean {
  const reading = this[READING]
  if (reading?.isDue !== true || chunk === null) return pass(this, chunk)
  const end = reading.kept === undefined ? endOfCleanHead(chunk) : 0
  if (end === 0 || end > reading.maxBytes) return pushMended(this, reading, chunk)
  reading.isDue = false
  reading.isBare = end === chunk.length
  return pass(this, chunk)
}

const pass = (socket: Socket, chunk: Buffer | null): boolean =>
  Socket.prototype.push.call(socket, chunk)

/** Passes on each head that is whole, and behind the last one what has come of the body. */
function pushMended(socket: Socket, reading: Reading, chunk: Buffer): boolean {
  const { maxBytes, onFault } = reading
  let rest = reading.kept === undefined ? chunk : Buffer.concat([reading.kept, chunk])
  reading.kept = undefined
  while (reading.isDue && rest.length > 0 && !socket.destroyed) {
    const head = mendHead(rest)
    const length = typeof head === 'object' ? head.length : rest.length
    if (head === 'bad' || length > maxBytes) {
      onFault(head !== 'bad')
      return false
    }
    if (head === 'more') {
      reading.kept = rest
      return true
    }
    rest = rest.subarray(head.length)
    reading.isDue = !head.isFinal
    reading.isBare = rest.length === 0
    pass(socket, Buffer.from(head.text, 'latin1'))
  }
  return socket.destroyed || rest.length === 0 || pass(socket, rest)
}
