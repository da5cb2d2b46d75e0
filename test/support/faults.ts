/** Defects that a running child of Préau can be given from outside: it loads this file first, and waits for a signal. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Fault = 'throw' | 'reject' | 'heap' | 'loop'

export interface Faults {
  /** For the environment of the product. */
  readonly env: { readonly NODE_OPTIONS: string }
  strike(pid: number, fault: Fault): void
  /** Whether the endless loop that was ordered last has begun: nothing is accepted from then on. */
  isLooping(): boolean
  /** From now on every process that is started dies at once; or each admin process; or none. */
  poisonStarts(who: 'all' | 'admin' | 'none'): void
}

/** `dir`: where it keeps its two files. `heapMegabytes`: of every process, so that a heap is full soon. */
export function prepareFaults(dir: string, heapMegabytes = 200): Faults {
  const file = join(dir, 'fault.mjs')
  const order = join(dir, 'fault')
  const poison = join(dir, 'poison')
  const looping = join(dir, 'looping')
  writeFileSync(file, source({ order, poison, looping }))
  return {
    env: { NODE_OPTIONS: `--import=${file} --max-old-space-size=${heapMegabytes}` },
    strike(pid, fault) {
      writeFileSync(order, fault)
      rmSync(looping, { force: true })
      process.kill(pid, 'SIGUSR2')
    },
    isLooping: () => existsSync(looping),
    poisonStarts(who) {
      if (who === 'none') rmSync(poison, { force: true })
      else writeFileSync(poison, who)
    },
  }
}

const source = ({ order, poison, looping }: Record<string, string>): string => `
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
const faults = {
  throw: () => setImmediate(() => { throw new Error('a defect of the test') }),
  reject: () => void Promise.reject(new Error('a rejection of the test')),
  heap: () => { const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length)) },
  loop: () => { writeFileSync(${JSON.stringify(looping)}, ''); for (;;); },
}
const poison = ${JSON.stringify(poison)}
if (process.argv[1]?.endsWith('child.ts')) {
  const poisoned = existsSync(poison) ? readFileSync(poison, 'utf8') : 'none'
  if (poisoned === 'all') process.exit(9)
  // Not a listener of its own, which would have to pass on what is meant for the other.
  const { emit } = process
  if (poisoned === 'admin') process.emit = function (event, message, ...rest) {
    if (event === 'message' && message.role === 'admin') process.exit(9)
    return emit.call(this, event, message, ...rest)
  }
  process.on('SIGUSR2', () => faults[readFileSync(${JSON.stringify(order)}, 'utf8')]())
}
`
