/** Reaching an origin through a parent proxy: CONNECT (RFC 9110 §9.3.6). Where another way leads to it, that one. */
import type { OnReadOpts, Socket } from 'node:net'
import { PreauError } from '../errors.ts'
import { hostField, type Target } from '../policy/host.ts'
import { mendHead } from './answer-head.ts'
import { Deadlines, type Due } from './deadlines.ts'
import type { Dial, OnDialled } from './dial.ts'
import { guard } from './guard.ts'
import { CREDENTIALS_REFUSED, type Parents } from './parents.ts'
import type { Waiting } from './resolver.ts'
import type { Sharer } from './shares.ts'
import { NOTHING } from './tunnel.ts'
import type { Parent, Way } from './ways.ts'
import { hold, release, type Holder } from './wire.ts'

export interface ParentDialOptions {
  readonly parents: Parents
  /** The way without a parent. */
  readonly direct: Dial
  /** To connect to a parent and to have its answer; 0: no bound. */
  readonly timeoutMs: number
}

const MAX_HEAD_BYTES = 16_384
// No host has this port in its field: it stands there always, as CONNECT wants it.
const NO_PORT = 0
const TIMED_OUT = new Set([408, 504])
const OVER: Waiting = { abandon: () => undefined }

export function createParentDial(options: ParentDialOptions): Dial {
  const deadlines = new Deadlines(options.timeoutMs)
  return (target, client, onDialled, onread) =>
    new Reaching(options, deadlines, { target, client, onDialled, onread }).next()
}

interface Asked {
  readonly target: Target
  readonly client: Sharer
  readonly onDialled: OnDialled
  readonly onread: OnReadOpts | undefined
}

class Reaching implements Waiting, Holder, Due {
  seat = -1
  dueAt = 0
  readonly #options: ParentDialOptions
  readonly #deadlines: Deadlines
  readonly #asked: Asked
  readonly #tried: Way[] = []
  #waiting: Waiting = OVER
  #socket: Socket | undefined
  #parent: Parent | undefined
  /** What has come of the parent's answer. */
  #head = NOTHING

  constructor(options: ParentDialOptions, deadlines: Deadlines, asked: Asked) {
    this.#options = options
    this.#deadlines = deadlines
    this.#asked = asked
  }

  next(): this {
    const { parents, direct } = this.#options
    const { target, client, onDialled, onread } = this.#asked
    this.#deadlines.delete(this)
    this.#parent = undefined
    guard(
      error => this.#fail(error),
      () => {
        const way = parents.choose(target, this.#tried)
        this.#tried.push(way)
        if (way === 'direct') this.#waiting = direct(target, client, onDialled, onread)
        else this.#ask(way)
      },
    )
    return this
  }

  #ask(parent: Parent): void {
    const { parents, timeoutMs } = this.#options
    const { client, onread } = this.#asked
    this.#parent = parent
    this.#head = NOTHING
    this.#deadlines.add(this, timeoutMs)
    let hasEnded = false
    const answered = (socket: Socket | undefined, error: PreauError | undefined): void => {
      this.#waiting = OVER
      hasEnded = true
      if (socket !== undefined) this.#onConnected(socket, parent)
      else if (error?.code === 'PREAU_PARENT_DOWN') this.next()
      else this.#fail(error ?? new PreauError('PREAU_PARENT_DOWN'))
    }
    const waiting = parents.dial(parent, client, answered, onread && this.#reader(onread))
    if (!hasEnded) this.#waiting = waiting
  }

  /** Where its bytes go: the answer to us, what follows to whoever asked. */
  #reader(onread: OnReadOpts): OnReadOpts {
    return {
      buffer: onread.buffer,
      callback: (count, bytes) => {
        if (this.#parent === undefined) return onread.callback(count, bytes)
        this.onData(Buffer.from(bytes.subarray(0, count)))
        return true
      },
    }
  }

  #onConnected(socket: Socket, { authorization }: Parent): void {
    const { target, onread } = this.#asked
    this.#socket = socket
    hold(socket, this, onread === undefined)
    const authority = hostField(target, NO_PORT)
    const fields = authorization === null ? '' : `Proxy-Authorization: ${authorization}\r\n`
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`)
  }

  onData(chunk: Buffer): void {
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    const head = mendHead(this.#head)
    const length = typeof head === 'object' ? head.length : this.#head.length
    if (head === 'bad' || length > MAX_HEAD_BYTES) this.#break()
    else if (head !== 'more') {
      const rest = this.#head.subarray(length)
      this.#head = NOTHING
      if (head.isFinal) this.#hear(Number(head.text.slice(9, 12)), rest)
      else if (rest.length > 0) this.onData(rest)
    }
  }

  #hear(status: number, rest: Buffer): void {
    const { health } = this.#options.parents
    const { target } = this.#asked
    const parent = this.#parent
    if (parent === undefined) return
    if (status === CREDENTIALS_REFUSED) {
      health.failed(parent, 'credentials')
      this.#letGo()
      this.next()
      return
    }
    health.reached(parent)
    if (status >= 200 && status < 300) this.#stand(rest)
    else this.#fail(failureOf(status, target))
  }

  #stand(rest: Buffer): void {
    const { onDialled, onread } = this.#asked
    const socket = this.#socket
    // Through a stream comes what is asked for, and nothing has been.
    if (socket === undefined || (rest.length > 0 && onread === undefined)) {
      this.#break()
      return
    }
    this.#deadlines.delete(this)
    this.#parent = undefined
    this.#socket = undefined
    release(socket)
    onDialled(socket, undefined)
    // A server that speaks first.
    if (rest.length > 0) onread?.callback(rest.length, rest)
  }

  /** It is no proxy, or not any more. */
  #break(): void {
    if (this.#parent !== undefined) this.#options.parents.health.failed(this.#parent, 'broken')
    this.#letGo()
    this.next()
  }

  #fail(error: PreauError): void {
    this.#letGo()
    this.#asked.onDialled(undefined, error)
  }

  #letGo(): void {
    const socket = this.#socket
    this.#deadlines.delete(this)
    this.#socket = undefined
    this.#parent = undefined
    if (socket === undefined) return
    release(socket)
    socket.destroy()
  }

  onEnd(): void {
    this.#break()
  }

  onDrain(): void {}

  onClose(): void {
    if (this.#socket !== undefined) this.#break()
  }

  onLate(): void {
    const { host } = this.#asked.target
    if (this.#parent !== undefined) this.#options.parents.health.silent(this.#parent)
    this.#waiting.abandon()
    this.#fail(new PreauError('PREAU_DIAL_TIMEOUT', { host }))
  }

  abandon(): void {
    this.#waiting.abandon()
    this.#letGo()
  }
}

/** What a parent says of an origin, as we would have said it ourselves. */
function failureOf(status: number, { host }: Target): PreauError {
  if (TIMED_OUT.has(status)) return new PreauError('PREAU_DIAL_TIMEOUT', { host })
  return new PreauError(status < 500 ? 'PREAU_PARENT_REFUSED' : 'PREAU_UNREACHABLE', { host })
}
