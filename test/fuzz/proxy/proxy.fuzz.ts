/** Bytes into the proxy port: the worker lives and serves, and origins see clean requests that were judged, one for one. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { mutate } from '../engine/mutate.ts'
import { promise, type FuzzTarget } from '../engine/target.ts'
import { converse, inLanes, probe } from './client.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { requestMutation } from './request-seeds.ts'
import { openTlsReader } from './tls-reader.ts'
import { openWorker, type Worker } from './worker.ts'

const LOG_TRIES = 40
const LOG_MS = 50

/**
 * Every request at the origin has its own exchange in the access log, of the same method and target: a body that was read as
 * a request would be one more.
 */
async function assertJudged(worker: Worker, requests: readonly string[]): Promise<void> {
  const left = new Map<string, number>()
  for (const key of requests) left.set(key, (left.get(key) ?? 0) + 1)
  for (let tries = 0; tries < LOG_TRIES; tries++) {
    for (const { method, host, port, verdict } of worker.takeLog()) {
      const key = `${method} ${host}:${port}`
      const count = left.get(key)
      if (verdict !== 'allow' || count === undefined) continue
      if (count === 1) left.delete(key)
      else left.set(key, count - 1)
    }
    if (left.size === 0) return
    await elapsed(LOG_MS)
  }
  throw new Error(`requests that nobody judged: ${JSON.stringify([...left])}`)
}

export async function assertClean(worker: Worker, recorder: Recorder): Promise<void> {
  worker.assertAlive()
  await probe(worker.port, recorder.port)
  worker.assertAlive()
  const { violations, requests } = recorder.take()
  promise(violations.length === 0, `at the origin: ${violations.join('\n')}`)
  await assertJudged(worker, requests)
}

export const proxy: FuzzTarget = {
  name: 'proxy',
  bounded: 2_000,
  async open(scope) {
    const recorder = await openRecorder(scope)
    const tls = await openTlsReader(scope)
    const ports = { httpPorts: [80, recorder.port], connectPorts: [443, tls.port] }
    const worker = await openWorker(scope, ports)
    const mutation = requestMutation(recorder.port, tls.port)
    return {
      batch: 500,
      make: random => mutate(random, mutation),
      async attempt(inputs) {
        await inLanes(inputs, async input => {
          const answer = await converse(worker.port, input)
          const start = answer.toString('latin1', 0, 12)
          promise(/^(?:HTTP\/1\.1 \d{3}|$)/.test(start), `answer ${JSON.stringify(start)}`)
        })
        await assertClean(worker, recorder)
        tls.assertNoneRefused()
      },
      measure: () => worker.measure(),
    }
  },
}
