/** A proxy worker as the supervisor starts it, in a process of its own: its death, its memory and its descriptors are seen. */
import { fork, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, existsSync, globSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessLogEntry } from '../../../src/access-log/access-log.ts'
import type { FromChild, ToChild } from '../../../src/messages.ts'
import { configSchema, type Config } from '../../../src/config.ts'
import { withInstalled } from '../../../src/install.ts'
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts'
import { CURRENT } from '../../../src/policy/document.ts'
import { parsePolicy } from '../../../src/policy/policy-document.ts'
import { measureProcess } from '../engine/measure.ts'
import type { Measure, Scope } from '../engine/target.ts'

/** Allowed, all at `ALLOWED_AT`; refused, all at `REFUSED_AT`, where nothing must ever arrive. */
export const ALLOWED = ['free.test', 'other.test']
export const REFUSED = ['games.test', 'www.games.test', 'shop.test', 'adult.test']
export const ALLOWED_AT = '127.0.0.1'
export const REFUSED_AT = '127.0.0.66'
const CHILD = join(import.meta.dirname, '../../../src/child.ts')

export interface Worker {
  readonly port: number
  /** Throws, with what it said last, when the worker is no longer the one that was started. */
  assertAlive(): void
  /** Exchanges that have ended since the last call. */
  takeLog(): AccessLogEntry[]
  measure(): Measure
}

export interface WorkerPorts {
  readonly connectPorts: number[]
  readonly httpPorts: number[]
}

export async function openWorker(scope: Scope, ports: WorkerPorts): Promise<Worker> {
  const config = await configOf(scope, ports)
  await installPolicy(config)
  const child = fork(CHILD, {
    serialization: 'advanced',
    // What grows without end ends as a crash.
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=192'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', chunk => (said = (said + String(chunk)).slice(-4_000)))
  child.send({ type: 'start', role: 'proxy', config } satisfies ToChild)
  scope.teardown(() => stop(child))
  const [message] = (await once(child, 'message')) as [FromChild]
  if (message.type !== 'ready')
    throw new Error(message.type === 'failed' ? message.message : `it said ${message.type} first`)
  const { pid = 0 } = child
  return {
    port: message.port,
    assertAlive() {
      if (child.exitCode === null && child.signalCode === null) return
      throw new Error(`the worker died (${child.signalCode ?? child.exitCode})\n${said}`)
    },
    takeLog: openLog(join(config.dataDir, 'access-log')),
    measure: () => (existsSync(`/proc/${pid}/fd`) ? measureProcess(pid) : NOTHING),
  }
}

const NOTHING: Measure = { memoryBytes: 0, descriptors: 0 }

async function configOf(scope: Scope, ports: WorkerPorts): Promise<Config> {
  const hosts = Object.fromEntries([
    ...ALLOWED.map(name => [name, ALLOWED_AT]),
    ...REFUSED.map(name => [name, REFUSED_AT]),
  ])
  return configSchema.parse({
    dataDir: scope.testdir(),
    proxy: { port: 0, ...ports },
    dial: { hosts, servers: [`127.0.0.1:${await openNameServer(scope)}`] },
    limits: {
      headTimeoutMs: 2_000,
      requestTimeoutMs: 3_000,
      keepAliveTimeoutMs: 2_000,
      dialTimeoutMs: 2_000,
      answerTimeoutMs: 1_000,
      tunnelIdleTimeoutMs: 3_000,
      helloTimeoutMs: 1_000,
      drainTimeoutMs: 0,
      connectionsPerClient: 0,
      exchangesPerMinute: 0,
      leafCertificatesPerMinute: 0,
      // A warning that was read would open its site.
      acknowledgeMinutes: 0,
    },
  })
}

async function installPolicy(config: Config): Promise<void> {
  await withInstalled(config, async ({ store, catalogue }) => {
    const rules = [
      { host: 'games.test', action: 'block' },
      { host: 'shop.test', action: 'classify', category: 'shopping' },
      { host: 'adult.test', action: 'classify', category: 'adult' },
    ]
    const body = parsePolicy({ ...DEFAULT_POLICY, rules }, catalogue)
    const note = { by: 'test', action: 'policy.import', at: Date.now() }
    await store.commit(note, [{ kind: 'policy', id: CURRENT, body }])
  })
}

/** Knows no name: what is made up by chance must not leave this machine. */
async function openNameServer(scope: Scope): Promise<number> {
  const server = createSocket('udp4')
  server.on('message', (question, { port, address }) => {
    if (question.length < 12) return
    const answer = Buffer.from(question)
    answer.writeUInt16BE(0x8183, 2)
    // No record but the question: an OPT record that came with it is not echoed.
    answer.writeUInt16BE(0, 10)
    let end = 12
    while (end < answer.length && answer[end] !== 0) end += 1 + (answer[end] ?? 0)
    server.send(answer.subarray(0, end + 5), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))
  return server.address().port
}

/** Reads on where it stopped: a worker writes meanwhile, so that cutting the file would lose lines. */
function openLog(folder: string): () => AccessLogEntry[] {
  const offsets = new Map<string, number>()
  return () =>
    globSync(join(folder, '*.jsonl')).flatMap(file => {
      const offset = offsets.get(file) ?? 0
      const bytes = Buffer.alloc(statSync(file).size - offset)
      const descriptor = openSync(file, 'r')
      readSync(descriptor, bytes, 0, bytes.length, offset)
      closeSync(descriptor)
      const end = bytes.lastIndexOf('\n') + 1
      offsets.set(file, offset + end)
      return bytes
        .toString('utf8', 0, end)
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as AccessLogEntry)
    })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  if (child.connected) child.send({ type: 'stop', drainMs: 0 } satisfies ToChild)
  await exited
  clearTimeout(timer)
}
