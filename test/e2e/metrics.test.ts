/** Monitoring reads at one address what all workers do, whatever becomes of one of them. */
import t from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { readUntil } from '../support/proxy-world.ts'
import { runProgram, startProduct, type Product } from '../support/product.ts'

const REQUESTS = 40
/** Asked for inside TLS, by curl. */
const PAGES = 2
const BLOCKED = 'preau_exchanges_total{verdict="block",reason="blocked-category"}'
const SILENT = 'preau_workers_silent'
const RESTARTS = 'preau_restarts_total{role="proxy"}'
const BEYOND = 'preau_limits_reached_total{limit="connectionsPerClient"}'
const LIMITS = { connectionsPerClient: 5, drainTimeoutMs: 0 }

interface Scrape {
  readonly text: string
  /** Of a series that is not there: undefined. */
  readonly get: (series: string) => number | undefined
  /** Summed over its workers; how many have told. */
  readonly sum: (name: string) => { readonly total: number; readonly workers: number }
}

async function scrape({ adminUrl }: Product): Promise<Scrape> {
  const answer = await fetch(`${adminUrl}/metrics`)
  const text = await answer.text()
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  const all = lines.map(line => {
    const [, series = '', value = ''] = /^(.+) (\S+)$/.exec(line) ?? []
    return [series, Number(value)] as const
  })
  return {
    text,
    get: series => new Map(all).get(series),
    sum(name) {
      const found = all.filter(([series]) => series.startsWith(`${name}{worker=`))
      return { total: found.reduce((sum, [, value]) => sum + value, 0), workers: found.length }
    },
  }
}

/** The first scrape that is as it should be; after half a minute the last one, for the assertion that then fails. */
async function scrapeUntil(product: Product, isSo: (found: Scrape) => boolean): Promise<Scrape> {
  const until = performance.now() + 30_000
  for (;;) {
    // The admin process itself may just be coming back.
    const found = await scrape(product).catch(() => undefined)
    if (found !== undefined && (isSo(found) || performance.now() > until)) return found
    if (performance.now() > until) throw new Error('no metrics')
    await elapsed(20)
  }
}

async function openFrom({ proxyUrl }: Product, localAddress: string): Promise<Socket> {
  const socket = connect({ port: Number(new URL(proxyUrl).port), host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
  return socket
}

/** One at a time, each on a connection of its own: the system spreads them over the workers. */
async function ask(product: Product, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const socket = await openFrom(product, '127.0.0.1')
    socket.write('GET http://www.jeux.fr/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    t.match(await readUntil(socket), /^HTTP\/1\.1 403/)
  }
}

t.test('the workers are counted together, over floods, deaths and silence', async t => {
  const origin = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const product = await startProduct(t, {
    names: ['echo.test'],
    config: {
      workers: 2,
      proxy: { port: await freePort(), connectPorts: ['1024-65535'] },
      dial: { hosts: { 'echo.test': '127.0.0.1' } },
      limits: LIMITS,
    },
  })
  const [first = 0, second = 0, admin = 0] = product.children().toSorted((a, b) => a - b)

  t.test('traffic through both', async t => {
    await ask(product, REQUESTS)
    const tunnel = await openFrom(product, '127.0.0.1')
    const authority = `echo.test:${(origin.address() as AddressInfo).port}`
    tunnel.write(`CONNECT ${authority} HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.match(await readUntil(tunnel, '\r\n\r\n'), /^HTTP\/1\.1 200/)
    const found = await scrapeUntil(
      product,
      ({ get }) => get(BLOCKED) === REQUESTS && get(SILENT) === 0,
    )
    t.equal(found.get(BLOCKED), REQUESTS)
    t.equal(found.get('preau_refusals_total{category="games"}'), REQUESTS)
    t.equal(found.get('preau_dial_seconds_count'), 1)
    t.strictSame(found.sum('preau_exchanges_open'), { total: 1, workers: 2 })
    for (const name of ['resident_memory_bytes', 'open_descriptors', 'worker_uptime_seconds'])
      t.ok(found.sum(`preau_${name}`).total > 0, name)
    tunnel.destroy()
    const allowed = 'preau_exchanges_total{verdict="allow",reason="default"}'
    t.equal((await scrapeUntil(product, ({ get }) => get(allowed) === 1)).get(allowed), 1)
  })

  t.test('a PC that does not know the certificate of the city', async t => {
    const failures = 'preau_exchange_failures_total{code="PREAU_CERTIFICATE_REFUSED"}'
    t.equal((await scrape(product)).get(failures), 0)
    const page = (...more: string[]) =>
      runProgram('curl', ['-s', '-x', product.proxyUrl, ...more, 'https://www.jeux.fr:8443/'])
    t.equal((await page()).code, 60, 'curl does not trust the page')
    const found = await scrapeUntil(product, ({ get }) => get(failures) === 1)
    t.equal(found.get(failures), 1)
    t.equal((await page('--cacert', product.caFile)).code, 0)
    const issued = (await scrape(product)).get('preau_leaf_certificates_total') ?? 0
    t.ok(issued >= 1 && issued <= 2, 'each worker issues its own')
    await scrapeUntil(product, ({ get }) => get(BLOCKED) === REQUESTS + PAGES)
  })

  t.test('a flood that runs into a limit', async t => {
    t.equal((await scrape(product)).get(BEYOND), 0, 'it is told of before it is reached')
    const flood = await Promise.all(
      Array.from({ length: 30 }, () => openFrom(product, '127.0.0.2')),
    )
    // Each worker keeps as many as one client may have; which one a connection comes to is the system's choice.
    const keptIn = ({ sum }: Scrape): number => sum('preau_connections_open').total
    const found = await scrapeUntil(
      product,
      now => now.get(SILENT) === 0 && (now.get(BEYOND) ?? 0) + keptIn(now) === flood.length,
    )
    const kept = keptIn(found)
    t.ok(kept <= 2 * LIMITS.connectionsPerClient, `${kept} are kept`)
    t.equal(found.get(BEYOND), flood.length - kept, 'the others are counted')
    for (const socket of flood) socket.destroy()
  })

  t.test('a worker that is killed', async t => {
    const before = await scrape(product)
    process.kill(first, 'SIGKILL')
    const down = await scrape(product)
    t.equal(down.get(BLOCKED), REQUESTS + PAGES, 'no counter goes back while it is away')
    const back = await scrapeUntil(product, ({ get }) => get(RESTARTS) === 1)
    t.equal(back.get(RESTARTS), 1)
    t.equal(back.get('preau_workers_up'), 2)
    t.equal(back.get(BLOCKED), REQUESTS + PAGES, 'nor once it has come back')
    t.equal(back.get(BEYOND), before.get(BEYOND))
    await ask(product, 10)
    const total = REQUESTS + PAGES + 10
    t.equal((await scrapeUntil(product, ({ get }) => get(BLOCKED) === total)).get(BLOCKED), total)
  })

  t.test('a worker that hangs', async t => {
    process.kill(second, 'SIGSTOP')
    const isSo = ({ get }: Scrape): boolean => get(SILENT) === 1
    const [found, other] = await Promise.all([
      scrapeUntil(product, isSo),
      scrapeUntil(product, isSo),
    ])
    process.kill(second, 'SIGCONT')
    t.equal(found.get(SILENT), 1)
    t.equal(found.get('preau_workers_up'), 2)
    t.equal(found.get(BLOCKED), REQUESTS + PAGES + 10, 'what it had told before still counts')
    t.equal(found.sum('preau_resident_memory_bytes').workers, 1)
    t.ok((found.get('preau_list_hosts{list="preau"}') ?? 0) > 0, 'the lists are told all the same')
    t.equal(other.get(BLOCKED), REQUESTS + PAGES + 10, 'two scrapes at once do not mix')
    const awake = await scrapeUntil(product, ({ get }) => get(SILENT) === 0)
    t.equal(awake.sum('preau_resident_memory_bytes').workers, 2)
  })

  t.test('an admin process that is killed', async t => {
    process.kill(admin, 'SIGKILL')
    const restarts = 'preau_restarts_total{role="admin"}'
    const found = await scrapeUntil(product, ({ get }) => get(restarts) === 1)
    t.equal(found.get(restarts), 1)
    t.equal(found.get(BLOCKED), REQUESTS + PAGES + 10)
    t.notMatch(found.text, /jeux\.fr|echo\.test|127\.0\.0|undefined|NaN/, 'no host, no address')
  })
})
