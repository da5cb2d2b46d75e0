/** Where the children of a supervisor that has gone and its successor find each other: a Unix socket in the data folder. */
import { closeSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { platform } from 'node:os'
import { join } from 'node:path'

/** Other systems do not let the sockets of two generations share a port. */
export const canBeSucceeded = platform() === 'linux'

const NAME = 'supervisor.sock'

export interface MeetingPlace {
  /** To listen on, as long as the place is open. */
  readonly path: string
  close(): void
}

/**
 * Whoever may write to the data folder may meet here. The address of a socket has 107 bytes at most (unix(7)) and data
 * folders may lie deep, so the way there leads through the open folder. Throws the error of the system.
 */
export function openMeetingPlace(dataDir: string): MeetingPlace {
  const folder = openSync(dataDir, 'r')
  return { path: join('/proc/self/fd', String(folder), NAME), close: () => closeSync(folder) }
}

/** A connection to whoever listens there. It closes with ECONNREFUSED where only the file is left, of one that was killed. */
export const visit = ({ path }: MeetingPlace): Socket => connect(path)
