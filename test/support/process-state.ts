/** What Linux tells of a running process: its descriptors, its connections, its memory, its CPU time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** `/proc` is of Linux: why a test that looks there is left out elsewhere. */
export const notLinux: string | false = process.platform === 'linux' ? false : '/proc is of Linux'

const CLOSE_WAIT = '08'
const KIB = 1_024
const TICKS_PER_SECOND = 100

export const countDescriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Connections that the other side has ended and the process has not. */
export function countCloseWait(pid: number): number {
  const own = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]
    if (inode !== undefined) own.add(inode)
  }
  const lines = ['tcp', 'tcp6'].flatMap(file =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8').split('\n').slice(1),
  )
  return lines
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === CLOSE_WAIT && own.has(fields[9] ?? '')).length
}

// A descriptor may go while they are listed.
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** Bytes in memory. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * KIB
}

/** Seconds of CPU spent so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
