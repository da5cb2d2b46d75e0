/** Lists are imported and put in force while the product serves: nobody notices, and a kill in between changes nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { startProduct } from '../support/product.ts'

const CLI = new URL('../../src/cli.ts', import.meta.url).pathname

function writeDomains(file: string, count: number, prefix: string): void {
  const lines = Array.from({ length: count }, (_, i) => `${prefix}${i}.example`)
  writeFileSync(file, `${lines.join('\n')}\n`)
}

async function openOrigin(t: { teardown(end: () => unknown): void }): Promise<number> {
  const origin = createServer((_request, response) => response.end('hello'))
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    origin.close()
    origin.closeAllConnections()
  })
  return (origin.address() as AddressInfo).port
}

async function statusOf(proxyPort: number, authority: string): Promise<number> {
  const headers = { host: authority }
  const asked = request({
    port: proxyPort,
    host: '127.0.0.1',
    path: `http://${authority}/`,
    headers,
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer.statusCode ?? 0
}

t.test(
  'an import under load fails no request, drops no tunnel, and decides at its end',
  async t => {
    const originPort = await openOrigin(t)
    const product = await startProduct(t, { names: ['open.test', 'g7.example'] })
    const proxyPort = Number(new URL(product.proxyUrl).port)
    const tunnel = connect(proxyPort, '127.0.0.1')
    t.teardown(() => tunnel.destroy())
    tunnel.write(`CONNECT open.test:${originPort} HTTP/1.1\r\nHost: open.test\r\n\r\n`)
    const [head] = (await once(tunnel, 'data')) as [Buffer]
    t.match(head.toString(), /^HTTP\/1\.1 200/)
    const state = { isOver: false, answers: 0, failed: 0 }
    const load = Array.from({ length: 4 }, async () => {
      while (!state.isOver) {
        const status = await statusOf(proxyPort, `open.test:${originPort}`).catch(() => 0)
        if (status === 200) state.answers++
        else state.failed++
      }
    })
    const list = join(dirname(product.configFile), 'list.txt')
    writeDomains(list, 300_000, 'g')
    t.equal(await statusOf(proxyPort, `g7.example:${originPort}`), 200, 'not listed yet')
    t.match(await product.cli('lists', 'import', list, '--category', 'gambling'), { code: 0 })
    const until = Date.now() + 10_000
    while ((await statusOf(proxyPort, `g7.example:${originPort}`)) !== 403 && Date.now() < until)
      await wait(20)
    t.equal(await statusOf(proxyPort, `g7.example:${originPort}`), 403, 'the new list decides')
    state.isOver = true
    await Promise.all(load)
    t.equal(state.failed, 0)
    t.ok(state.answers > 10, `${state.answers} answers`)
    tunnel.write('GET / HTTP/1.1\r\nHost: open.test\r\n\r\n')
    const [answer] = (await once(tunnel, 'data')) as [Buffer]
    t.match(answer.toString(), /hello/, 'the tunnel of before still carries')
  },
)

t.test(
  'an update killed at any moment leaves the version in force, and the next one works',
  async t => {
    const product = await startProduct(t)
    const list = join(dirname(product.configFile), 'list.txt')
    writeDomains(list, 150_000, 'a')
    const words = ['lists', 'import', list, '--category', 'gambling']
    t.match(await product.cli(...words), { code: 0 })
    const version = async (): Promise<{ id: string; lists: unknown }> =>
      JSON.parse((await product.cli('lists', 'show', '--json')).stdout) as {
        id: string
        lists: unknown
      }
    const before = await version()
    writeDomains(list, 150_100, 'a')
    let killed = 0
    for (const delay of [150, 300, 450, 600, 750]) {
      const args = [CLI, ...words, '--config', product.configFile]
      const child = spawn(process.execPath, args, { stdio: 'ignore' })
      const timer = setTimeout(() => child.kill('SIGKILL'), delay)
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
      clearTimeout(timer)
      if (signal !== 'SIGKILL') break
      killed++
      const after = await version()
      if (after.id !== before.id) break
      t.same(after.lists, before.lists, `killed after ${delay} ms`)
      t.match(await product.cli('check', 'a7.example'), { code: 1 })
    }
    t.ok(killed > 0)
    t.match(await product.cli(...words, '--activate'), { code: 0 })
    t.match(await product.cli('check', 'a150099.example'), { code: 1 })
  },
)
