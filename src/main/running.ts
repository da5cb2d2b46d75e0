/** What a composed process is to whoever started it. */
import type { AddressInfo } from 'node:net'
import type { Sample } from '../metrics.ts'

/** A part that listens. */
export interface Running {
  readonly address: AddressInfo
  /** What it has counted since it was started, and its gauges. Never rejects; undefined: it has no metrics of its own. */
  readonly readMetrics?: () => Promise<readonly Sample[]>
  /**
   * Takes nothing new, lets what is open end by itself within `drainMs`, then ends it. A second call shortens the time,
   * and never makes it longer.
   */
  stop(drainMs: number): Promise<void>
}

/** Asks the data plane for its metrics; undefined when no answer comes in time. */
export type Gather = () => Promise<readonly Sample[] | undefined>
