/** The naive relay that Préau is compared with: `node plain-relay.ts PORT`. */
import { createServer } from 'node:http'
import { connect } from 'node:net'

const server = createServer()
server.on('connect', (request, client, head) => {
  const port = Number(request.url?.split(':')[1])
  const origin = connect(port, '127.0.0.1', () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    origin.write(head)
    client.pipe(origin)
    origin.pipe(client)
  })
  client.on('error', () => origin.destroy())
  origin.on('error', () => client.destroy())
})
server.listen(Number(process.argv[2]), '127.0.0.1')
