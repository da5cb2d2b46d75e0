/**
 * The gate of an allowed tunnel: the ClientHello is read in passing and the name in it is judged too, so that a CONNECT
 * to an innocent name, or to an address, cannot carry a refused site (gh-aw-firewall#8878). A server may ask for a second
 * ClientHello (HelloRetryRequest), which some servers choose the site by: it must ask for the same name (RFC 8446 §4.1.2).
 */
import { PreauError, type ErrorCode } from '../errors.ts'
import type { Host } from '../policy/host.ts'
import { readClientHello } from './client-hello.ts'
import type { Exchange } from './exchange.ts'
import type { LimitName } from './limit-name.ts'
import { ServerOpening } from './server-opening.ts'
import type { Gate } from './tunnel.ts'

const RECORD_HEAD = 5
/** What no ClientHello travels in: the empty message of compatibility, an alert (a client that gives up), early data. */
const OTHER_RECORDS: ReadonlySet<number | undefined> = new Set([20, 21, 23])

/** `onLimit` hears of a ClientHello that did not come whole in time. */
export function helloGate(
  exchange: Exchange,
  timeoutMs: number,
  onLimit: (limit: LimitName) => void,
): Gate {
  return new HelloGate(exchange, timeoutMs, onLimit)
}

class HelloGate implements Gate {
  readonly timeoutMs: number
  readonly #exchange: Exchange
  readonly #onLimit: (limit: LimitName) => void
  readonly #opening = new ServerOpening()
  /** The name of the first ClientHello, once it has passed; null: it has none. */
  #name: Host | null | undefined
  /** Bytes still to come of a record that goes on unread. */
  #passing = 0

  constructor(exchange: Exchange, timeoutMs: number, onLimit: (limit: LimitName) => void) {
    this.#exchange = exchange
    this.timeoutMs = timeoutMs
    this.#onLimit = onLimit
  }

  onTimeout(): void {
    this.#exchange.failure = 'PREAU_HELLO_REFUSED'
    this.#onLimit('helloTimeoutMs')
  }

  /** Nothing that the origin says matters once its first message is known. */
  hear(bytes: Buffer): boolean {
    this.#opening.add(bytes)
    return this.#opening.kind === 'unknown'
  }

  admit(held: Buffer): number | 'more' | 'pass' | 'refuse' {
    return this.#name === undefined ? this.#admitFirst(held) : this.#admitNext(held, this.#name)
  }

  #admitFirst(held: Buffer): number | 'more' | 'pass' | 'refuse' {
    const hello = readClientHello(held)
    switch (hello.kind) {
      case 'more':
        return 'more'
      case 'not-tls':
        return this.#exchange.mayCarry('not-tls') ? 'pass' : this.#refuse('PREAU_NOT_TLS')
      case 'malformed':
        return this.#refuse('PREAU_HELLO_REFUSED')
      case 'hello': {
        // The outer name where the true one is encrypted: it is judged beside the name of the CONNECT (RFC 9849).
        const { name = null, length } = hello
        const verdict = name === null ? undefined : this.#exchange.judgeHello(name)
        if (verdict !== undefined && verdict.action !== 'allow') return 'refuse'
        this.#name = name
        return length
      }
      default:
        throw new PreauError('PREAU_INTERNAL', { detail: hello satisfies never })
    }
  }

  /**
   * What follows the first ClientHello goes on as soon as the server has answered it with anything but a HelloRetryRequest. Until
   * then early data may go on, and so may an alert and the empty message before a second ClientHello (RFC 8446 §2.3, §6, §D.4).
   */
  #admitNext(held: Buffer, name: Host | null): number | 'more' | 'pass' | 'refuse' {
    if (this.#opening.kind === 'other') return 'pass'
    if (this.#passing > 0) {
      const count = Math.min(this.#passing, held.length)
      this.#passing -= count
      return count
    }
    const [type] = held
    if (OTHER_RECORDS.has(type)) {
      if (held.length < RECORD_HEAD) return 'more'
      this.#passing = RECORD_HEAD + held.readUInt16BE(3)
      return this.#admitNext(held, name)
    }
    // A client that has not waited for the server's answer says its second hello before it was asked to: judged all the same.
    const hello = readClientHello(held)
    if (hello.kind === 'more') return 'more'
    if (hello.kind !== 'hello' || (hello.name ?? null) !== name)
      return this.#refuse('PREAU_HELLO_REFUSED')
    // There is one retry at most (RFC 8446 §4.1.4).
    return 'pass'
  }

  #refuse(code: ErrorCode): 'refuse' {
    this.#exchange.failure = code
    return 'refuse'
  }
}
