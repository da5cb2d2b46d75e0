/**
 * A read buffer of ours for a connection that was accepted. Node has one for those that it opens (`onread` of
 * `net.connect`) and none for these, though both are the same socket underneath: an upload then costs twice what a download
 * does, a new 64 kB for each read. So what `onread` sets is set on a socket that exists. Its names are not public: they are
 * read off a socket that was made with them, and where anything is not as expected the socket goes on as it is.
 */
import { Socket, type OnReadOpts } from 'node:net'

interface Handle {
  useUserBuffer(buffer: Uint8Array): number
}

const SYMBOLS = findSymbols()

/** Whether from now on its bytes go to `onread` and no longer into the stream. Call it between two reads. */
export function readInto(socket: Socket, onread: OnReadOpts): boolean {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (SYMBOLS === undefined || !isHandle(handle) || socket.readableLength > 0) return false
  const first = (onread.buffer as () => Buffer | undefined)()
  if (first === undefined) return false
  Reflect.set(socket, SYMBOLS.buffer, first)
  Reflect.set(socket, SYMBOLS.next, onread.buffer)
  Reflect.set(socket, SYMBOLS.callback, onread.callback)
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

/** Where a socket keeps what `onread` said (kBuffer, kBufferGen and kBufferCb of Node 26). */
function findSymbols(): Record<'buffer' | 'next' | 'callback', symbol> | undefined {
  const bytes = Buffer.alloc(1)
  const makeBytes = (): Buffer => bytes
  const callback = (): boolean => true
  const buffer = symbolOf({ buffer: bytes, callback }, bytes)
  const next = symbolOf({ buffer: makeBytes, callback }, makeBytes)
  const called = symbolOf({ buffer: bytes, callback }, callback)
  if (buffer === undefined || next === undefined || called === undefined) return undefined
  return { buffer, next, callback: called }
}

function symbolOf(onread: OnReadOpts, value: unknown): symbol | undefined {
  // Not in its types, but `net.connect` hands it on to here.
  const probe = new Socket({ onread } as object)
  return Object.getOwnPropertySymbols(probe).find(symbol => Reflect.get(probe, symbol) === value)
}
