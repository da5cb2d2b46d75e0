/** The naive forward proxy that Préau is compared with: `node plain-forward.ts PORT`. */
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'http-proxy'

const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }) })
proxy.on('error', (_error, _request, response) => void response?.destroy())
const server = createServer((request, response) => {
  const { origin, pathname } = new URL(request.url ?? '')
  request.url = pathname
  proxy.web(request, response, { target: origin })
})
server.listen(Number(process.argv[2]), '127.0.0.1')
