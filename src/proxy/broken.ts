/**
 * What a client sends that is no request, or no whole one: TLS or garbage, a head that is too large or too late, a body that
 * breaks. It is answered at its turn, behind the answers that are still due (RFC 9112 §9.3.2), and then nothing more is read.
 */
import type { Socket } from 'node:net'
import type { PreauError } from '../errors.ts'
import { answerSocket, endSocket } from './answer.ts'
import type { Connection, Exchange } from './exchange.ts'
import type { OddRequestLine } from './request-line.ts'

export interface Broken {
  readonly error: PreauError
  /** A request line that Node reads at the beginning of a connection only (`odd-requests.ts`). */
  readonly odd?: OddRequestLine | undefined
  /** Opens the exchange of what was no request. */
  readonly open: (connection: Connection, method: string) => Exchange
}

/** Does nothing the second time: each further piece is as broken. */
export function answerBroken(connection: Connection, { error, odd, open }: Broken): void {
  if (connection.isBroken) return
  connection.isBroken = true
  const { latest, socket } = connection
  if (latest?.response?.req.complete === false) {
    if (latest.isOpen) answerInPlace(latest, socket, error)
    // It was answered before its body was whole.
    else socket.destroy()
    return
  }
  const exchange = open(connection, odd?.method ?? '')
  exchange.failure = error.code
  socket.once('close', () => exchange.close())
  const answer = (): void => {
    // The answer before it has ended the connection.
    if (socket.writable) say(exchange, socket, error)
  }
  if (latest?.isOpen && latest.response !== undefined) latest.response.once('close', answer)
  else if (latest !== undefined && odd !== undefined) endSocket(socket)
  else answer()
}

/** The body of the latest request is what broke: its answer is this one, unless another one has begun. */
function answerInPlace(exchange: Exchange, socket: Socket, error: PreauError): void {
  const { response } = exchange
  if (response === undefined) return
  exchange.failure = error.code
  const answer = (): void => {
    // Behind half an answer, another one would be read as its body.
    if (response.headersSent) socket.destroy()
    else say(exchange, socket, error)
  }
  if (response.socket === null) response.once('socket', answer)
  else answer()
}

function say(exchange: Exchange, socket: Socket, error: PreauError): void {
  exchange.status = error.status
  answerSocket(socket, error)
}
