/** CONNECTs that the proxy refuses with 403, each on a connection of its own. */
import { connect } from 'node:net'
import { repeat, TIMEOUT_MS, type Aim, type Figures } from './figures.ts'

const ESTABLISHED = /^HTTP\/1\.1 200 [^\r]*\r\n\r\n/

/** One refusal. A filter that looks whether the client speaks TLS says 200 first: it gets something that is none. */
function refused({ port, authority }: Aim): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    let hasSpoken = false
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (hasSpoken || !ESTABLISHED.test(text)) return
      hasSpoken = true
      socket.write('GET / HTTP/1.1\r\n\r\n')
    })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
    socket.on('error', reject)
    socket.on('close', () => {
      const answer = text.replace(ESTABLISHED, '')
      if (isWhole403(answer)) resolve()
      else reject(new Error(`not a refusal: ${text.slice(0, 300)}`))
    })
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`)
  })
}

function isWhole403(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, end))?.[1])
  return answer.startsWith('HTTP/1.1 403 ') && answer.length - end - 4 === length
}

export function refusedConnects(order: Aim & { count: number; atOnce: number }): Promise<Figures> {
  return repeat(order.count, order.atOnce, () => refused(order))
}
