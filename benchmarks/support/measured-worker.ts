/**
 * One real proxy worker that also watches its own event loop, and tells what it saw when asked: `report`, and what is
 * left of its heap when all that can go has gone: `collect` (with --expose-gc).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import pino from 'pino'
import { loadConfig } from '../../src/config.ts'
import { startProxy } from '../../src/main/proxy-process.ts'

const config = loadConfig(process.argv[2])
const running = await startProxy(config, pino({ level: 'warn' }, pino.destination(2)), config.proxy)
// Each sample is one turn of a timer of this many milliseconds, which is taken off again below.
const RESOLUTION_MS = 2
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
const milliseconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

process.on('message', (message: string) => {
  if (message === 'stop')
    void running.stop(config.limits.drainTimeoutMs).then(() => process.exit(0))
  else if (message === 'collect') {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    process.send?.({ heapMegabytes: heapUsed / 1e6, externalMegabytes: external / 1e6 })
  } else {
    process.send?.({
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      max: milliseconds(delay.max),
      megabytes: process.memoryUsage.rss() / 1e6,
    })
    delay.reset()
  }
})
process.send?.({ port: running.address.port })
