/** One request of a real client on a connection of its own, from an address of its own; what goes wrong is an answer too. */
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** From before the connection to the head of the answer. */
  readonly ms: number
  /** `ip:port` of this side. */
  readonly from: string
}

/** No answer, or half of one. `hung`: nothing in the time that it had. */
export interface Trouble {
  readonly kind: 'trouble'
  readonly code: string
  readonly isHung: boolean
  readonly ms: number
  readonly from: string
}

export interface Ask {
  readonly port: number
  readonly path: string
  readonly from: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** Nobody waits longer in front of a page. */
export const PATIENCE_MS = 10_000
const MAX_BODY = 2_000_000

export function ask({ port, path, from, method = 'GET', headers, form }: Ask) {
  return new Promise<Answer | Trouble>(resolve => {
    const startedAt = performance.now()
    let local = from
    let isHung = false
    const trouble = (code: string): void =>
      resolve({ kind: 'trouble', code, isHung, ms: performance.now() - startedAt, from: local })
    const body = form && new URLSearchParams(form).toString()
    const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      localAddress: from,
      agent: false,
      headers: { ...type, ...headers },
    })
    const timer = setTimeout(() => {
      isHung = true
      outgoing.destroy(new Error('hung'))
    }, PATIENCE_MS)
    outgoing.on('close', () => clearTimeout(timer))
    outgoing.on('socket', socket => {
      socket.once('connect', () => (local = `${from}:${socket.localPort}`))
    })
    outgoing.on('error', error => trouble(codeOf(error)))
    outgoing.on('response', response => {
      const ms = performance.now() - startedAt
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (text.length < MAX_BODY) text += chunk
      })
      response.on('error', error => trouble(codeOf(error)))
      response.on('end', () => {
        if (!response.complete) return trouble('ABORTED')
        const { statusCode: status = 0, headers } = response
        resolve({ kind: 'answer', status, headers, body: text, ms, from: local })
      })
    })
    outgoing.end(body)
  })
}

export interface OpenTunnel {
  readonly kind: 'tunnel'
  readonly status: number
  readonly socket: Socket
  readonly ms: number
  readonly from: string
}

/** CONNECT; answers once the head of the answer is there, with the connection as it then is. */
export function openTunnel(
  port: number,
  target: string,
  from: string,
): Promise<OpenTunnel | Trouble> {
  return new Promise(resolve => {
    const startedAt = performance.now()
    const socket = connect({ host: '127.0.0.1', port, localAddress: from })
    let local = from
    let head = ''
    const end = (code: string, isHung = false): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ kind: 'trouble', code, isHung, ms: performance.now() - startedAt, from: local })
    }
    const timer = setTimeout(() => end('HUNG', true), PATIENCE_MS)
    const onError = (error: Error): void => end(codeOf(error))
    const onClose = (): void => end('CLOSED')
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.once('connect', () => {
      local = `${from}:${socket.localPort}`
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    })
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      const at = head.indexOf('\r\n\r\n')
      if (at === -1) return
      clearTimeout(timer)
      socket.off('error', onError).off('close', onClose).off('data', onData)
      socket.pause()
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
      resolve({ kind: 'tunnel', status, socket, ms: performance.now() - startedAt, from: local })
    }
    socket.on('data', onData)
  })
}

/** Sends bytes and answers what comes back until it holds `until`, or until the other side has ended; undefined: nothing in time. */
export function exchange(
  socket: Socket,
  bytes: string,
  until: string,
): Promise<string | undefined> {
  return new Promise(resolve => {
    let text = ''
    const finish = (answer: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => finish(undefined), PATIENCE_MS)
    socket.on('error', () => finish(text))
    socket.on('close', () => finish(text))
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      if (text.includes(until)) finish(text)
    })
    socket.resume()
    socket.write(bytes)
  })
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message)
