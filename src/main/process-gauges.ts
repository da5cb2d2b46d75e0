/** How a process is: its event loop, memory, descriptors, processor time and age. Read when somebody asks. */
import { readFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { monitorEventLoopDelay, type ELDHistogram } from 'node:perf_hooks'
import type { Sample } from '../metrics.ts'

const WINDOW_MS = 60_000
const DESCRIPTORS = '/proc/self/fd'

export interface ProcessGauges {
  /** Never rejects: what this system does not tell is left out. */
  samples(): Promise<Sample[]>
  close(): void
}

export function watchProcess(): ProcessGauges {
  // Two windows that overlap, emptied in turn. Emptying at each scrape would let two readers take figures from each
  // other; one window would hide, just after it was emptied, the stall that somebody looks for.
  let [long, short] = [watchLoop(), watchLoop()]
  const timer = setInterval(() => {
    long.reset()
    ;[long, short] = [short, long]
  }, WINDOW_MS).unref()
  const max = maxDescriptors()
  return {
    async samples() {
      const open = await openDescriptors()
      return [
        ...turnsOf(long),
        { name: 'preau_resident_memory_bytes', value: process.memoryUsage.rss() },
        ...(open === undefined ? [] : [{ name: 'preau_open_descriptors', value: open } as const]),
        ...(max === undefined ? [] : [{ name: 'preau_max_descriptors', value: max } as const]),
        { name: 'preau_cpu_seconds_total', value: processorSeconds() },
        { name: 'preau_worker_uptime_seconds', value: process.uptime() },
      ]
    },
    close() {
      clearInterval(timer)
      long.disable()
      short.disable()
    },
  }
}

/** Samples each turn of the loop, and so wakes nobody: the timer of the other way would, fifty times a second. */
function watchLoop(): ELDHistogram {
  const histogram = monitorEventLoopDelay({ samplePerIteration: true })
  histogram.enable()
  return histogram
}

function turnsOf(turns: ELDHistogram): Sample[] {
  if (turns.count === 0) return []
  const figures = { 0.5: turns.percentile(50), 0.99: turns.percentile(99), 1: turns.max }
  return Object.entries(figures).map(([quantile, ns]) => ({
    name: 'preau_event_loop_turn_seconds',
    labels: { quantile },
    value: ns / 1e9,
  }))
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Linux tells their number as the size of the folder since 6.2; before that they have to be listed. */
async function openDescriptors(): Promise<number | undefined> {
  try {
    return (await stat(DESCRIPTORS)).size || (await readdir(DESCRIPTORS)).length
  } catch {
    return undefined
  }
}

function maxDescriptors(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
