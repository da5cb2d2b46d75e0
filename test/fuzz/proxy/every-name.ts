/**
 * A lenient second reader of ClientHellos: where a strict reader refuses (two names, two extensions, bytes left over), this
 * one takes every name that some origin might take.
 */

const HANDSHAKE = 22

export function everyNameIn(bytes: Buffer): string[] {
  const message = handshakeOf(bytes)
  const names: string[] = []
  // Version, random, session id, suites, compression: each with its length.
  let at = 4 + 2 + 32
  at += 1 + (message[at] ?? 0)
  at += 2 + uint16(message, at)
  at += 1 + (message[at] ?? 0)
  const end = Math.min(message.length, at + 2 + uint16(message, at))
  for (at += 2; at + 4 <= end;) {
    const length = uint16(message, at + 2)
    if (uint16(message, at) === 0) names.push(...namesOf(message.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return names
}

/** The records that hold handshakes, whatever else stands between them. */
function handshakeOf(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === HANDSHAKE;) {
    const length = uint16(bytes, at + 3)
    parts.push(bytes.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  return Buffer.concat(parts)
}

function namesOf(list: Buffer): string[] {
  const names: string[] = []
  for (let at = 2; at + 3 <= list.length;) {
    const length = uint16(list, at + 1)
    names.push(list.toString('latin1', at + 3, at + 3 + length))
    at += 3 + length
  }
  return names
}

const uint16 = (bytes: Buffer, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
