/** The clock of a running Préau, moved under it: Debian's libfaketime reads the offset from a file at each look at the time. */
import { existsSync, globSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'

/** The variant for programs with threads. */
const LIBRARY = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0] ?? ''
export const noFakeTime: string | false = existsSync(LIBRARY) ? false : 'libfaketime is not here'

export interface FakeClock {
  readonly env: Readonly<Record<string, string>>
  /** Seconds beside the true time. */
  set(offsetS: number): void
}

export function openClock(stage: Stage): FakeClock {
  const file = join(stage.dir, 'clock')
  const set = (offsetS: number): void => {
    // Never half a file: a process looks at it whenever it likes.
    writeFileSync(`${file}.new`, `${offsetS < 0 ? '' : '+'}${offsetS}\n`)
    renameSync(`${file}.new`, file)
  }
  set(0)
  return {
    env: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // A step of the clock of a machine does not touch what counts from its start.
      DONT_FAKE_MONOTONIC: '1',
    },
    set,
  }
}
