/** What a composed process is to whoever started it. */
import type { AddressInfo } from 'node:net'

/** A part that listens. `stop` lets what is open end by itself within its time, then ends it. */
export interface Running {
  readonly address: AddressInfo
  stop(): Promise<void>
}
