/** Memory and descriptors of a process, as the system counts them. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Measure } from './target.ts'

/** Another process: what is resident. */
export function measureProcess(pid: number): Measure {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    memoryBytes: Number(kilobytes) * 1_024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** This process: the heap and what hangs on it, after a collection where the flag allows one. */
export function measureSelf(): Measure {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const descriptors = readdirSync('/proc/self/fd').length
  return { memoryBytes: heapUsed + external, descriptors }
}
