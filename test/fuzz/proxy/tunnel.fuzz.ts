/** ClientHellos inside allowed tunnels: what passes the gate never names a refused site, for OpenSSL or for a lenient reader. */
import { mutate } from '../engine/mutate.ts'
import type { FuzzTarget } from '../engine/target.ts'
import { converse, inLanes } from './client.ts'
import { helloMutation } from './hello-seeds.ts'
import { assertClean } from './proxy.fuzz.ts'
import { openRecorder } from './recorder.ts'
import { openTlsReader } from './tls-reader.ts'
import { openWorker } from './worker.ts'

export const tunnel: FuzzTarget = {
  name: 'tunnel',
  bounded: 500,
  async open(scope) {
    const recorder = await openRecorder(scope)
    const tls = await openTlsReader(scope)
    const worker = await openWorker(scope, {
      httpPorts: [recorder.port],
      connectPorts: [443, tls.port],
    })
    const mutation = await helloMutation()
    const heads = ['free.test', 'other.test', 'games.test'].map(name =>
      Buffer.from(`CONNECT ${name}:${tls.port} HTTP/1.1\r\nHost: ${name}\r\n\r\n`),
    )
    return {
      batch: 250,
      // A refused CONNECT meets our own TLS, with the page inside: one in nine.
      make: random =>
        Buffer.concat([
          heads[random.oneIn(9) ? 2 : random.below(2)] ?? Buffer.alloc(0),
          mutate(random, mutation),
        ]),
      async attempt(inputs) {
        await inLanes(inputs, async input => void (await converse(worker.port, input)))
        await assertClean(worker, recorder)
        tls.assertNoneRefused()
      },
      measure: () => worker.measure(),
    }
  },
}
