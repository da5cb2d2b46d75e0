/** `/etc/hosts`: the names that the machine knows by itself. Read anew, beside the requests, when it has changed. */
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { parseHost, type Host } from '../policy/host.ts'

const LOOK_MS = 5_000
/** A larger file is a block list that somebody put there: its names are left to the DNS. */
const MAX_BYTES = 4 * 1_024 * 1_024
const LOOPBACK = ['127.0.0.1', '::1'] as readonly string[] as readonly Host[]

/** The addresses that the machine itself gives a name; undefined: it knows none. */
export type AddressesOf = (host: Host) => readonly Host[] | undefined

/** Reads the file at once. A file that is missing or too large has no names. */
export function openHostsFile(path: string): AddressesOf {
  let seen = ''
  let names = new Map<Host, readonly Host[]>()
  let lookedAt = performance.now()
  try {
    const { mtimeMs, size } = statSync(path)
    seen = `${mtimeMs} ${size}`
    if (size <= MAX_BYTES) names = readNames(readFileSync(path, 'utf8'))
  } catch {
    // No such file, or not ours to read: the DNS knows all that is known.
  }
  const look = async (): Promise<void> => {
    const { mtimeMs, size } = await stat(path)
    if (seen === `${mtimeMs} ${size}`) return
    const text = size <= MAX_BYTES ? await readFile(path, 'utf8') : ''
    names = readNames(text)
    seen = `${mtimeMs} ${size}`
  }
  return host => {
    if (performance.now() - lookedAt > LOOK_MS) {
      lookedAt = performance.now()
      // What cannot be read now keeps the names that were read before.
      look().catch(() => undefined)
    }
    return names.get(host) ?? (isLoopback(host) ? LOOPBACK : undefined)
  }
}

/** RFC 6761 §6.3: these names are the machine itself, whatever a DNS says, and are not asked for. */
const isLoopback = (host: Host): boolean => host === 'localhost' || host.endsWith('.localhost')

/** hosts(5): an address, then its names; a name that stands in several lines has all their addresses. */
function readNames(text: string): Map<Host, readonly Host[]> {
  const names = new Map<Host, Host[]>()
  for (const line of text.split('\n')) {
    const [address, ...rest] = line.replace(/#.*/, '').trim().split(/\s+/)
    const ip = parseHost(address ?? '')
    if (ip === undefined || !/^[\d.]+$|:/.test(ip)) continue
    for (const word of rest) {
      const host = parseHost(word)
      if (host === undefined) continue
      const known = names.get(host)
      if (known === undefined) names.set(host, [ip])
      else if (!known.includes(ip)) known.push(ip)
    }
  }
  return names
}
