/** The reader of ClientHellos beside OpenSSL's: whatever passes, OpenSSL finds the same name in it, or none. */
import { connect } from 'node:net'
import { readClientHello, type Hello } from '../../src/proxy/client-hello.ts'
import { measureSelf } from './engine/measure.ts'
import { mutate } from './engine/mutate.ts'
import { createRandom, seedOf } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'
import { everyNameIn } from './proxy/every-name.ts'
import { helloMutation } from './proxy/hello-seeds.ts'
import { openTlsReader, type TlsReader } from './proxy/tls-reader.ts'

const isSame = (one: Hello, other: Hello): boolean => JSON.stringify(one) === JSON.stringify(other)
const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '')

/** Says the bytes to the OpenSSL server and waits until it has closed. */
function say(port: number, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => socket.destroy())
    // Its answer, a hello or an alert, comes after it has read ours.
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve())
    socket.end(bytes)
  })
}

async function check(tls: TlsReader, bytes: Buffer): Promise<void> {
  const read = readClientHello(bytes)
  const part = bytes.subarray(0, createRandom(seedOf(bytes)).below(bytes.length + 1))
  const early = readClientHello(part)
  promise(early.kind === 'more' || isSame(early, read), 'more bytes changed the answer')
  if (read.kind !== 'hello' && read.kind !== 'not-tls') return
  const name = read.kind === 'hello' ? read.name : undefined
  if (read.kind === 'hello') {
    const found = everyNameIn(bytes).map(plain)
    promise(
      found.every(other => other === name),
      `read ${name}; also there: ${found.join()}`,
    )
  }
  tls.take()
  await say(tls.port, bytes)
  for (const other of tls.take())
    promise(plain(other) === name, `we read ${name}, OpenSSL reads ${JSON.stringify(other)}`)
}

export const hello: FuzzTarget = {
  name: 'hello',
  bounded: 2_000,
  async open(scope) {
    const tls = await openTlsReader(scope)
    const mutation = await helloMutation()
    return {
      batch: 200,
      make: random => mutate(random, mutation),
      async attempt(inputs) {
        for (const input of inputs) await check(tls, input)
      },
      measure: measureSelf,
    }
  },
}
