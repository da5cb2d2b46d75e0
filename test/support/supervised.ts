/** What the tests of the supervision ask of a running product. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Test } from 'tap'
import { connect, type Socket } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { readUntil } from './proxy-world.ts'
import type { Product } from './product.ts'

const PATIENCE_MS = 30_000

/** Waits until it is so; after half a minute the test goes on, and fails where it is not. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isSo()) && performance.now() < end) await elapsed(20)
}

export const proxyPort = ({ proxyUrl }: Product): number => Number(new URL(proxyUrl).port)
export const adminPort = ({ adminUrl }: Product): number => Number(new URL(adminUrl).port)

/** The process ids of the children, in the order in which they were started: workers first, then the admin app. */
export const inOrder = (product: Product): number[] => product.children().toSorted((a, b) => a - b)

export const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody has waited for yet is no longer alive.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Status of a refused page, asked for on a new connection; the error where there is none. */
export async function ask(product: Product): Promise<string> {
  const socket = connect(proxyPort(product), '127.0.0.1').setTimeout(PATIENCE_MS)
  socket.on('timeout', () => socket.destroy())
  const failed = new Promise<string>(resolve =>
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'an error')),
  )
  socket.write('GET http://www.jeux.fr/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const answer = await Promise.race([failed, readUntil(socket)])
  socket.destroy()
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? answer
}

/** Milliseconds until a page comes again, asked for on new connections. */
export async function untilServed(product: Product): Promise<number> {
  const startedAt = performance.now()
  await until(async () => (await ask(product)) === '403')
  return performance.now() - startedAt
}

export const healthOf = async ({ adminUrl }: Product): Promise<number> =>
  fetch(`${adminUrl}/healthz`, { headers: { connection: 'close' } }).then(
    ({ status }) => status,
    () => 0,
  )

export async function openTunnel(t: Test, product: Product, to: number): Promise<Socket> {
  const socket = connect(proxyPort(product), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(`CONNECT free.test:${to} HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 200/)
  return socket
}

export const isOver = (socket: Socket): boolean => socket.destroyed || socket.readableEnded

export async function isCarrying(socket: Socket): Promise<boolean> {
  if (isOver(socket)) return false
  socket.write('still here')
  return (await readUntil(socket, 'still here')) === 'still here'
}

/** Changes top-level keys of its configuration file. */
export function changeConfig({ configFile }: Product, change: object): void {
  const before = JSON.parse(readFileSync(configFile, 'utf8')) as object
  writeFileSync(configFile, JSON.stringify({ ...before, ...change }))
}

const OUTCOME = /tous les processus ont été remplacés|n’a pas été reprise|n’ont pas démarré/g

export const countReloads = (product: Product): number =>
  [...product.said().matchAll(OUTCOME)].length

/** Sends a SIGHUP; resolves with what was said of it. */
export async function reload(product: Product): Promise<string> {
  const before = countReloads(product)
  const said = product.said().length
  product.process.kill('SIGHUP')
  await until(() => countReloads(product) > before && product.said().endsWith('\n'))
  return product.said().slice(said)
}
