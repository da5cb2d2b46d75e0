/** Does a serving worker feel it when six million domains are imported and put in force beside it? */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config.ts'
import { install } from '../src/install.ts'
import { MEASURED_LIMITS } from './support/contestants/preau.ts'
import { domainOf, fullSizeArchive } from './support/full-size-archive.ts'
import { report } from './support/report.ts'

const LOOPS = 8
const TUNNELS = 20
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

interface Seen {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly megabytes: number
}

const count = { exchanges: 0, failed: 0, echoes: 0, dropped: 0 }
const measured = { isOver: false }

/** A tunnel to the origin; answers its socket once the proxy has said 200. */
async function openTunnel(proxyPort: number, originPort: number): Promise<Socket> {
  const socket = connect(proxyPort, '127.0.0.1')
  socket.write(`CONNECT origin.test:${originPort} HTTP/1.1\r\nHost: origin.test\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!head.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error('refused')
  return socket
}

async function exchangeForEver(proxyPort: number, originPort: number): Promise<void> {
  while (!measured.isOver) {
    try {
      const socket = await openTunnel(proxyPort, originPort)
      socket.write('GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n')
      let text = ''
      for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1')
      if (!text.endsWith('hello')) throw new Error('wrong answer')
      count.exchanges++
    } catch {
      count.failed++
    }
    await wait(5)
  }
}

/** One tunnel that asks and is answered ten times a second for as long as the measurement lasts. */
async function talkForEver(proxyPort: number, originPort: number): Promise<void> {
  const socket = await openTunnel(proxyPort, originPort)
  socket.on('error', () => undefined)
  socket.once('close', () => {
    if (!measured.isOver) count.dropped++
  })
  while (!measured.isOver && !socket.destroyed) {
    socket.write('GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n')
    await Promise.race([once(socket, 'data'), wait(5_000)]).catch(() => undefined)
    count.echoes++
    await wait(100)
  }
  socket.destroy()
}

async function ask(worker: ChildProcess): Promise<Seen> {
  worker.send('report')
  const [seen] = (await once(worker, 'message')) as [Seen]
  return seen
}

/** The status of a plain request for a host of the list that comes. */
async function statusOf(proxyPort: number, host: string): Promise<number> {
  const asked = request({
    port: proxyPort,
    host: '127.0.0.1',
    path: `http://${host}/`,
    headers: { host },
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode ?? 0
}

const dir = mkdtempSync(join(tmpdir(), 'preau-reload-'))
const origin = createServer((_request, response) => response.end('hello'))
try {
  const { path } = await fullSizeArchive()
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  const originPort = (origin.address() as AddressInfo).port
  const listed = domainOf(1)
  const file = join(dir, 'config.json')
  const base = {
    dataDir: 'data',
    proxy: { port: 0, connectPorts: ['1024-65535'] },
    admin: { port: 0 },
    limits: MEASURED_LIMITS,
  }
  const dial = { hosts: { 'origin.test': '127.0.0.1', [listed]: '127.0.0.1' } }
  writeFileSync(file, JSON.stringify({ ...base, dial }))
  const { store } = await install(loadConfig(file), Date.now)
  await store.close()
  const worker = fork(here('support/measured-worker.ts'), [file])
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }]
  const load = [
    ...Array.from({ length: LOOPS }, () => exchangeForEver(port, originPort)),
    ...Array.from({ length: TUNNELS }, () => talkForEver(port, originPort)),
  ]
  await wait(2_000)
  await ask(worker)
  await wait(8_000)
  const before = { ...count, ...(await ask(worker)) }
  const started = performance.now()
  const cli = spawn(
    process.execPath,
    [here('../src/cli.ts'), 'lists', 'import', path, '--name', 'ut1', '--config', file],
    { stdio: 'ignore' },
  )
  // As the product runs its own updates.
  if (cli.pid !== undefined) setPriority(cli.pid, 10)
  const [code] = (await once(cli, 'exit')) as [number]
  if (code !== 0) throw new Error(`import ended with ${code}`)
  const importSeconds = (performance.now() - started) / 1_000
  const during = { ...count, ...(await ask(worker)) }
  while ((await statusOf(port, listed)) !== 403) await wait(20)
  const inForceSeconds = (performance.now() - started) / 1_000
  await wait(3_000)
  const after = { ...count, ...(await ask(worker)) }
  measured.isOver = true
  await Promise.all(load)
  worker.send('stop')
  if (count.failed + count.dropped > 0)
    throw new Error(`${count.failed} exchanges failed, ${count.dropped} tunnels dropped`)
  const row = (what: string, seen: Seen) => ({
    what,
    'p50 ms': seen.p50.toFixed(1),
    'p99 ms': seen.p99.toFixed(1),
    'max ms': seen.max.toFixed(1),
    'resident MB': seen.megabytes.toFixed(0),
  })
  report(
    'a serving worker while six million domains are imported and put in force',
    [],
    [row('before', before), row('during the import', during), row('swap and after', after)],
  )
  console.log(
    `${count.exchanges} exchanges, ${TUNNELS} tunnels with ${count.echoes} answers: none failed or dropped`,
  )
  console.log(
    `import ${importSeconds.toFixed(1)} s; in force ${inForceSeconds.toFixed(1)} s after it began`,
  )
} finally {
  measured.isOver = true
  origin.close()
  origin.closeAllConnections()
  rmSync(dir, { recursive: true, force: true })
}
