/** What a composed process is to whoever started it. */
import type { AddressInfo } from 'node:net'
import type { Sample } from '../metrics.ts'

/** A part that listens. `stop` lets what is open end by itself within its time, then ends it. */
export interface Running {
  readonly address: AddressInfo
  /** What it has counted since it was started, and its gauges. Never rejects; undefined: it has no metrics of its own. */
  readonly readMetrics?: () => Promise<readonly Sample[]>
  stop(): Promise<void>
}

/** Asks the data plane for its metrics; undefined when no answer comes in time. */
export type Gather = () => Promise<readonly Sample[] | undefined>
