/** Reads a body that nobody wants, so that the answer is not lost in a reset of the connection. */
import type { IncomingMessage } from 'node:http'

const MAX_BYTES = 65_536
const PATIENCE_MS = 5_000

/** Resolves true once the body has ended; false when it is too large or too slow: the connection must then be closed. */
export function drain(request: IncomingMessage): Promise<boolean> {
  const { headers, complete } = request
  const isEmpty = headers['transfer-encoding'] === undefined && !Number(headers['content-length'])
  if (complete || isEmpty) return Promise.resolve(true)
  return new Promise(resolve => {
    let bytes = 0
    const settle = (isWhole: boolean): void => {
      clearTimeout(timer)
      request.pause()
      request.off('data', count).off('end', end).off('close', close)
      resolve(isWhole)
    }
    const count = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > MAX_BYTES) settle(false)
    }
    const end = (): void => settle(true)
    const close = (): void => settle(false)
    const timer = setTimeout(close, PATIENCE_MS)
    request.on('data', count).on('end', end).on('close', close)
  })
}
