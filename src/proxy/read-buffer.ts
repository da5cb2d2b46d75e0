/**
 * A read buffer of ours for a connection that was accepted. Node has one for those that it opens (`onread` of
 * its `connect`) and none for these, though both are the same socket underneath: an upload then costs twice what a download
 * does, a new 64 kB for each read. So what `onread` sets is set on a socket that exists. Its names are not public: they are
 * read off a socket that was made with them, and where anything is not as expected the socket goes on as it is.
 */
import { Socket } from 'node:net'

/** Where the bytes go: `buffer` is asked before each read, `callback` told after it; see `onread` in the documentation of `net.Socket`. */
export interface ReadInto {
  readonly buffer: () => Buffer | undefined
  readonly callback: (count: number, buffer: Buffer) => boolean
}

interface Handle {
  useUserBuffer(buffer: Uint8Array): number
}

/** Whether from now on its bytes go to `onread` and no longer into the stream. Call it between two reads. */
export function readInto(socket: Socket, { buffer, callback }: ReadInto): boolean {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (SYMBOLS === undefined || !isHandle(handle) || socket.readableLength > 0) return false
  const first = buffer()
  if (first === undefined) return false
  Reflect.set(socket, SYMBOLS.buffer, first)
  Reflect.set(socket, SYMBOLS.next, buffer)
  Reflect.set(socket, SYMBOLS.callback, callback)
  handle.useUserBuffer(first)
  return true
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    typeof Reflect.get(handle, 'useUserBuffer') === 'function'
  )
}

const BYTES = Buffer.alloc(1)
const makeBytes = (): Buffer => BYTES
const ignore = (): boolean => true

/** Where a socket keeps what `onread` said (kBuffer, kBufferGen and kBufferCb of Node 26). */
function findSymbols(): Record<'buffer' | 'next' | 'callback', symbol> | undefined {
  const buffer = symbolOf(BYTES, BYTES)
  const next = symbolOf(makeBytes, makeBytes)
  const callback = symbolOf(BYTES, ignore)
  if (buffer === undefined || next === undefined || callback === undefined) return undefined
  return { buffer, next, callback }
}

function symbolOf(buffer: Buffer | (() => Buffer), value: unknown): symbol | undefined {
  // Not in its types, but `connect` hands it on to here.
  const options: object = { onread: { buffer, callback: ignore } }
  const probe = new Socket(options)
  return Object.getOwnPropertySymbols(probe).find(symbol => Reflect.get(probe, symbol) === value)
}

const SYMBOLS = findSymbols()
