/** The page of a refused HTTPS site as a browser gets it: inside TLS, with a certificate that the city's authority signed. */
import { connect } from 'node:tls'
import { openTunnel, PATIENCE_MS } from './ask.ts'

/** Answers the status line of the page, or what was wrong with the certificate or the connection. */
export async function blockPageOverTls(
  proxyPort: number,
  host: string,
  from: string,
  ca: string,
): Promise<string> {
  const tunnel = await openTunnel(proxyPort, `${host}:443`, from)
  if (tunnel.kind === 'trouble') return tunnel.code
  return new Promise(resolve => {
    const socket = connect({ socket: tunnel.socket, servername: host, ca })
    const end = (text: string): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(PATIENCE_MS, () => end('silence'))
    socket.on('error', error => end(error.message))
    socket.once('secureConnect', () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )
    socket.once('data', chunk => end(chunk.toString('latin1').split('\r\n')[0] ?? ''))
  })
}
