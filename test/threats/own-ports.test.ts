/** Cases 69 and 106 of the catalogue: the proxy asked for its own doors, so that it would turn in circles or open the admin. */
import t from 'tap'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isOwnAddress } from '../../src/main/own-address.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { freePort } from '../support/free-port.ts'
import { startProduct } from '../support/product.ts'
import { readUntil } from '../support/proxy-world.ts'

const own = Object.values(networkInterfaces())
  .flatMap(list => list ?? [])
  .flatMap(({ address }) => parseHost(address.replace(/%.*$/, '')) ?? [])

t.test('every address of this machine is its own', async t => {
  for (const address of [...own, '127.0.0.1', '127.8.9.1', '0.0.0.0', '::1', '::'])
    t.ok(isOwnAddress(address as Host), address)
  for (const address of ['192.0.2.1', '8.8.8.8', '2001:db8::1', '1.127.0.1'])
    t.notOk(isOwnAddress(address as Host), address)
})

t.test('neither the proxy nor the admin app is reached through the proxy', async t => {
  const admin = await freePort()
  const product = await startProduct(t, {
    // Even where the city permits all that is inside, and gives the machine a name.
    config: {
      workers: 2,
      proxy: { host: '0.0.0.0', port: await freePort(), connectPorts: ['1-65535'] },
      admin: { host: '0.0.0.0', port: admin },
      dial: {
        hosts: { 'proxy.city.test': '127.0.0.1' },
        allow: ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'],
      },
    },
  })
  const proxy = Number(product.proxyUrl.split(':').at(-1))
  const ask = async (text: string): Promise<string> => {
    const socket = connect(proxy, '127.0.0.1')
    socket.write(text)
    const answer = await readUntil(socket, '\r\n\r\n')
    socket.destroy()
    return answer
  }
  const names = ['127.0.0.1', '127.0.0.2', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', 'localhost']
  names.push(
    'proxy.city.test',
    ...own.map(address => (address.includes(':') ? `[${address}]` : address)),
  )
  for (const name of new Set(names)) {
    for (const port of [admin, proxy]) {
      const tail = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
      t.match(
        await ask(`GET http://${name}:${port}/ ${tail}`),
        /^HTTP\/1\.1 403 /,
        `${name}:${port}`,
      )
      t.match(await ask(`CONNECT ${name}:${port} ${tail}`), /^HTTP\/1\.1 403 /, `${name}:${port}`)
    }
  }
})
