/** The ports that the proxy opens, before any check and for anybody. */
import type { Target } from './host.ts'

type Ports = readonly (number | string)[]

/** Compiles `connectPorts` or `httpPorts` to a question. */
export function compilePorts(ports: Ports): (port: number) => boolean {
  const ranges = ports.map(entry => {
    const [first = 0, last = first] = String(entry).split('-').map(Number)
    return { first, last }
  })
  return asked => ranges.some(({ first, last }) => asked >= first && asked <= last)
}

/** Whether anything may reach the port: a page over plain HTTP, or a tunnel, which to a port of plain HTTP carries a WebSocket. */
export function opensPort(
  { connectPorts, httpPorts }: { readonly connectPorts: Ports; readonly httpPorts: Ports },
  { port, path }: Target,
): boolean {
  return compilePorts(httpPorts)(port) || (path === undefined && compilePorts(connectPorts)(port))
}
