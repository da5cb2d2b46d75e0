/** What plain requests and WebSocket handshakes share: bounding an origin's silence, relaying its answer, naming its failure. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { PreauError } from '../errors.ts'
import type { Target } from '../policy/host.ts'
import { answerHeaders } from './headers.ts'

export type OnFailure = (error: PreauError) => void

/** `timeoutMs` 0: no bound. */
export function limitSilence(outgoing: ClientRequest, target: Target, timeoutMs: number): void {
  if (timeoutMs === 0) return
  outgoing.setTimeout(timeoutMs, () =>
    outgoing.destroy(new PreauError('PREAU_DIAL_TIMEOUT', { host: target.host })),
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
  // A switch that nobody asked for, or one without its fields: whatever follows would be read as the next answer.
  if (answer.statusCode === 101) {
    answer.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host }))
    return false
  }
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(answer))
  } catch (cause) {
    // Node reads what it refuses to write: a status of 000, a control character in the reason phrase.
    response.statusMessage = ''
    answer.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host }, { cause }))
    return false
  }
  pipeline(answer, response, error => {
    if (error) response.destroy()
  })
  return true
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
