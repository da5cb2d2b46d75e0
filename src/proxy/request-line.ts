/**
 * Request lines that HTTP allows, or that real clients send, and that Node's parser refuses: a method that it does not know
 * (any token is one, RFC 9110 §9.1: CCM_POST, VERSION-CONTROL), bytes beyond ASCII in an address (curl and PHP send them raw).
 */
import { METHODS } from 'node:http'

export interface OddRequestLine {
  readonly method: string
  /** Byte for byte (latin1), as Node would give it. */
  readonly target: string
  /** A line that Node reads, which frames what follows in the same way: no method but CONNECT and PRI changes that. */
  readonly standIn: Buffer
}

/**
 * The longest that is registered has 17 characters (UPDATEREDIRECTREF). None has small letters: `get` is no GET, some origins
 * take it for one, and Node's client would write it as one.
 */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Z-]{1,32}) ([!-~\x80-\xff]+) (HTTP\/1\.[01]\r\n)$/
const BEYOND_ASCII = /[\x80-\xff]/g
const KNOWN = new Set(METHODS)

/** undefined: a line that Node reads by itself, or rightly refuses. `line`: latin1, with its end. */
export function readOddRequestLine(line: string): OddRequestLine | undefined {
  const [, method, target, end] = LINE.exec(line) ?? []
  if (method === undefined || target === undefined || end === undefined) return undefined
  const isKnown = KNOWN.has(method)
  // CONNECT has no address, PRI is no request (RFC 9113 §11.6).
  if (method === 'CONNECT' || method === 'PRI') return undefined
  const plain = target.replace(BEYOND_ASCII, '~')
  if (isKnown && plain === target) return undefined
  const standIn = Buffer.from(`${isKnown ? method : 'POST'} ${plain} ${end}`, 'latin1')
  return { method, target, standIn }
}

const LINE_END = 10

/** With its end and the empty lines before it (RFC 9112 §2.2), as latin1; empty where it is not whole. */
export function firstLineOf(bytes: Buffer): string {
  let start = 0
  while (bytes[start] === 13 || bytes[start] === LINE_END) start++
  return bytes.toString('latin1', 0, bytes.indexOf(LINE_END, start) + 1)
}

/** Whether a line speaks RTSP or ICE, which Node's parser reads as if it were HTTP (RFC 2326; Icecast). */
export const isOtherProtocol = (line: string): boolean =>
  /^[\r\n]*[^\r\n]* (?:RTSP|ICE)\/\d/.test(line)
