/** Asks the proxy of this machine for a refused page, each time on a new connection, until standard input ends; prints how each came out. */
import { connect } from 'node:net'

const EVERY_MS = 10
const PATIENCE_MS = 30_000

/** The status that was answered, or why there was none. */
function ask(): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(3128, '127.0.0.1').setEncoding('latin1')
    let answer = ''
    const end = (outcome: string): void => {
      resolve(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? outcome)
      socket.destroy()
    }
    socket.on('data', data => (answer += String(data)))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'an error'))
    socket.on('close', () => end('closed'))
    socket.setTimeout(PATIENCE_MS, () => end('silence'))
    socket.write('GET http://www.jeux.fr/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  })
}

const asked: Promise<string>[] = []
const timer = setInterval(() => asked.push(ask()), EVERY_MS)
process.stdin.resume().once('end', async () => {
  clearInterval(timer)
  console.log(JSON.stringify(Object.groupBy(await Promise.all(asked), outcome => outcome)))
})
