/**
 * The gate of an allowed tunnel: the ClientHello is read in passing and the name in it is judged too, so that a CONNECT
 * to an innocent name, or to an address, cannot carry a refused site (gh-aw-firewall#8878).
 */
import { PreauError, type ErrorCode } from '../errors.ts'
import { readClientHello } from './client-hello.ts'
import type { Exchange } from './exchange.ts'
import type { LimitName } from './limit-name.ts'
import type { Gate } from './tunnel.ts'

/** `onLimit` hears of a ClientHello that did not come whole in time. */
export function helloGate(
  exchange: Exchange,
  timeoutMs: number,
  onLimit: (limit: LimitName) => void,
): Gate {
  const refuse = (code: ErrorCode): 'refuse' => {
    exchange.failure = code
    return 'refuse'
  }
  return {
    timeoutMs,
    onTimeout: () => {
      exchange.failure = 'PREAU_HELLO_REFUSED'
      onLimit('helloTimeoutMs')
    },
    admit(bytes) {
      const hello = readClientHello(bytes)
      switch (hello.kind) {
        case 'more':
          return 'more'
        case 'not-tls':
          return exchange.mayCarryAnything ? 'pass' : refuse('PREAU_NOT_TLS')
        case 'malformed':
          return refuse('PREAU_HELLO_REFUSED')
        case 'hello': {
          // The outer name where the true one is encrypted: it is judged beside the name of the CONNECT (RFC 9849).
          const verdict = hello.name === undefined ? undefined : exchange.judgeHello(hello.name)
          return verdict === undefined || verdict.action === 'allow' ? 'pass' : 'refuse'
        }
        default:
          throw new PreauError('PREAU_INTERNAL', { detail: hello satisfies never })
      }
    },
  }
}
