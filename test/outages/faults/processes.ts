/** The running processes of one Préau by their part, and which of them holds a connection (read in `/proc`). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export type Role = 'supervisor' | 'worker' | 'admin' | 'job'

export interface Processes {
  readonly supervisor: number
  readonly workers: readonly number[]
  readonly admin: number | undefined
  readonly jobs: readonly number[]
}

interface Row {
  /** `ip:port` of the other end. */
  readonly remote: string
  readonly inode: string
}

const ESTABLISHED = '01'
const LISTENING = '0A'

/** What a process calls when asked who it is; none of it is there for a moment while a process begins or ends. */
export function processesOf(
  supervisor: number,
  ports: { readonly proxy: number; readonly admin: number },
): Processes {
  const proxyListeners = inodes(ports.proxy, LISTENING)
  const adminListeners = inodes(ports.admin, LISTENING)
  const workers: number[] = []
  let admin: number | undefined
  for (const pid of childrenOf(supervisor)) {
    const own = socketsOf(pid)
    if (own.some(inode => proxyListeners.has(inode))) workers.push(pid)
    else if (own.some(inode => adminListeners.has(inode))) admin = pid
  }
  const jobs = admin === undefined ? [] : childrenOf(admin)
  return { supervisor, workers, admin, jobs }
}

/** The other ends (`ip:port`) of the connections to `port` that a process has accepted. */
export function acceptedBy(pid: number, port: number): Set<string> {
  const own = new Set(socketsOf(pid))
  return new Set(
    rows(port, ESTABLISHED)
      .filter(({ inode }) => own.has(inode))
      .map(({ remote }) => remote),
  )
}

/** Which of these processes has accepted the connection that comes from `remote`. */
export function ownerOf(
  remote: string,
  port: number,
  candidates: readonly number[],
): number | undefined {
  const row = rows(port, ESTABLISHED).find(found => found.remote === remote)
  return row && candidates.find(pid => socketsOf(pid).includes(row.inode))
}

export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number)
}

const inodes = (port: number, state: string): Set<string> =>
  new Set(rows(port, state).map(({ inode }) => inode))

function rows(port: number, state: string): Row[] {
  const own = port.toString(16).toUpperCase().padStart(4, '0')
  return read('/proc/net/tcp')
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === state && fields[1]?.endsWith(`:${own}`))
    .map(fields => ({ remote: addressOf(fields[2] ?? ''), inode: fields[9] ?? '' }))
}

/** `0100007F:1F90` is 127.0.0.1:8080: the address in the byte order of the machine, little-endian here. */
function addressOf(text: string): string {
  const [address = '', port = ''] = text.split(':')
  const bytes = address.match(/../g)?.toReversed() ?? []
  return `${bytes.map(byte => Number.parseInt(byte, 16)).join('.')}:${Number.parseInt(port, 16)}`
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]
      return inode === undefined ? [] : [inode]
    })
  } catch {
    return []
  }
}

// A process and its descriptors may go while they are looked at.
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
