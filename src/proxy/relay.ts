/**
 * What plain requests and WebSocket handshakes share: relaying what an origin answers, naming its failure.
 */
import type { ClientRequest, IncomingMessage, InformationEvent, ServerResponse } from 'node:http'
import { PreauError } from '../errors.ts'
import type { Target } from '../policy/host.ts'
import { answerFields } from './headers.ts'
import { isHeadBare } from './head-reader.ts'
import { asksToSignIn } from './pins.ts'

export type OnFailure = (error: PreauError) => void

// An origin may send informational answers without end, and each would reach the client before it is asked to wait.
const MAX_INFORMATION = 32

/** Informational answers (RFC 9110 §15.2: 100, 102, 103 ...) on their way to a client that knows them. */
export function relayInformation(
  outgoing: ClientRequest,
  request: IncomingMessage,
  response: ServerResponse,
  { host }: Target,
): void {
  let seen = 0
  outgoing.on('information', (information: InformationEvent) => {
    const write = (): void => {
      if (response.headersSent || response.destroyed) return
      try {
        writeInformation(response, information)
      } catch (cause) {
        outgoing.destroy(new PreauError('PREAU_BAD_ANSWER', { host }, { cause }))
      }
    }
    if (request.httpVersionMinor === 0) return
    if (++seen > MAX_INFORMATION) outgoing.destroy(new PreauError('PREAU_BAD_ANSWER', { host }))
    // Behind another answer (pipelining) Node would write it between the head and the body of the final one.
    else if (response.socket === null) response.once('socket', write)
    else write()
  })
}

function writeInformation(response: ServerResponse, information: InformationEvent): void {
  const { statusCode, rawHeaders, headers, httpVersion } = information
  // Node keeps the connection only when it knows that the client was told to go on.
  if (statusCode === 100) response.writeContinue()
  else
    response.writeInformation(
      statusCode,
      answerFields(rawHeaders, headers.connection, httpVersion, statusCode),
    )
}

/**
 * Streams an answer to the client; one that breaks off breaks off for the client too, never ends cleanly. Answers
 * whether it began.
 */
export function relayAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  { host }: Target,
  onFailure: OnFailure,
): boolean {
  if (response.headersSent || response.destroyed) {
    answer.destroy()
    return false
  }
  // Before anything can fail: an error without a listener takes the process down.
  answer.on('error', () => breakOff(answer, response))
  // A switch that nobody asked for, or one without its fields: whatever follows would be read as the next answer.
  if (answer.statusCode === 101) {
    answer.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host }))
    return false
  }
  try {
    writeHead(answer, response, host)
  } catch (cause) {
    // Node reads what it refuses to write: a status of 000, a control character in the reason phrase.
    response.statusMessage = ''
    answer.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host }, { cause }))
    return false
  }
  stream(answer, response)
  return true
}

/** What `pipe` does, with a third of its listeners: this is done for every answer. */
function stream(answer: IncomingMessage, response: ServerResponse): void {
  const { socket } = answer
  answer.on('data', (chunk: Buffer) => {
    if (response.destroyed || response.write(chunk)) return
    answer.pause()
    response.once('drain', () => {
      // While it was made to wait its silence was ours.
      socket.setTimeout(socket.timeout ?? 0)
      answer.resume()
    })
  })
  answer.on('end', () => response.end())
  // What is complete with its head shows once Node's parser has come to its end.
  if (isHeadBare(socket)) process.nextTick(flushHead, answer, response)
}

/** Node keeps a head until its body begins, which may be a long while (RFC 9112 §8: an event stream). */
function flushHead(answer: IncomingMessage, response: ServerResponse): void {
  if (!answer.readableDidRead && !answer.complete && !response.destroyed) response.flushHeaders()
}

function writeHead(answer: IncomingMessage, response: ServerResponse, host: string): void {
  const { statusCode = 0, statusMessage, rawHeaders, headers, httpVersion } = answer
  const coding = headers['transfer-encoding']
  // We asked for no coding (RFC 9110 §10.1.4), and the client would get coded bytes without a word.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw new PreauError('PREAU_BAD_ANSWER', { host })
  const fields = answerFields(rawHeaders, headers.connection, httpVersion, statusCode)
  // Without it Windows does not begin (RFC 4559 §6).
  if (asksToSignIn(headers)) fields.push('Proxy-Support', 'Session-Based-Authentication')
  if (statusCode === 417 && response.req.headers.expect !== undefined) endWithoutWord(response)
  response.writeHead(statusCode, statusMessage, fields)
}

/**
 * A client asks again without `Expect`, but not where it is told that the connection ends (curl). It does end: what comes
 * next may be the body that was refused, or not (RFC 9110 §10.1.1). And at once, or the next request would come first.
 */
function endWithoutWord(response: ServerResponse): void {
  const { socket } = response
  response.removeHeader('connection')
  response.once('finish', () => socket?.destroy())
}

/**
 * Ends an answer that has begun and will not be whole. Where the end of the connection is the end of the body (HTTP/1.0),
 * only a reset tells.
 */
export function breakOff(answer: IncomingMessage, response: ServerResponse): void {
  const isFramed = response.chunkedEncoding || answer.headers['content-length'] !== undefined
  // A head that came is given, also when its body broke in the same breath.
  if (!answer.readableDidRead && !response.destroyed) response.flushHeaders()
  if (!isFramed) response.socket?.resetAndDestroy()
  response.destroy()
}

export function failureOf(error: Error, { host }: Target): PreauError {
  if (error instanceof PreauError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new PreauError(
    code.startsWith('HPE_') ? 'PREAU_BAD_ANSWER' : 'PREAU_UNREACHABLE',
    { host },
    { cause: error },
  )
}
