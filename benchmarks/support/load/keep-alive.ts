/** Plain GETs on kept connections, one after the other on each. */
import { connect, type Socket } from 'node:net'
import { PAGE } from '../bytes.ts'
import { repeat, TIMEOUT_MS, type Aim, type Figures } from './figures.ts'

/** What must come back: a status, and the body or a word that stands in it. */
export interface Expected {
  readonly status: number
  readonly has?: string
}

/** One kept connection: `ask` resolves when the whole answer has come and is the right one. */
class Kept {
  readonly #socket: Socket
  readonly #request: string
  readonly #expected: Expected
  #bytes: Buffer = Buffer.alloc(0)
  #settle: ((failure?: Error) => void) | undefined

  constructor({ port, authority }: Aim, expected: Expected) {
    this.#expected = expected
    this.#request = `GET http://${authority}/page HTTP/1.1\r\nHost: ${authority}\r\n\r\n`
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.setTimeout(TIMEOUT_MS, () => this.#settle?.(new Error('no answer in time')))
    this.#socket.on('error', error => this.#settle?.(error))
    this.#socket.on('close', () => this.#settle?.(new Error('the proxy closed a kept connection')))
  }

  ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = failure => {
        this.#settle = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      this.#socket.write(this.#request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#bytes.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
    if (Number.isNaN(length)) this.#settle?.(new Error(`no length in ${head}`))
    const body = this.#bytes.subarray(end + 4)
    if (body.length < length) return
    this.#bytes = Buffer.alloc(0)
    const isRight = head.startsWith(`HTTP/1.1 ${this.#expected.status} `) && this.#isRight(body)
    this.#settle?.(isRight ? undefined : new Error(`not the answer expected: ${head}`))
  }

  #isRight(body: Buffer): boolean {
    const { has } = this.#expected
    return has === undefined ? body.equals(PAGE) : body.includes(has)
  }
}

export async function keepAlive(
  order: Aim & { count: number; atOnce: number; expected: Expected },
): Promise<Figures> {
  const kept = Array.from({ length: order.atOnce }, () => new Kept(order, order.expected))
  try {
    return await repeat(order.count, order.atOnce, (_, lane) => kept[lane]!.ask())
  } finally {
    for (const one of kept) one.close()
  }
}
