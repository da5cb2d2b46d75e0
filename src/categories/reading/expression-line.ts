/**
 * Expressions of lists: POSIX extended ones over `host/path?query`, as squidGuard reads them. They come from outside, so
 * they run in an engine that is linear in the address (`re2js`); what remains to bound is the size of their programs.
 */
import { RE2JS } from 're2js'
import { readByteLines } from './byte-lines.ts'
import { createTally, refuse, type Tally } from './index-lists.ts'

/** Expressions that a file may hold, and the instructions of one and of all together: those of UT1 have 730. */
export const MAX_EXPRESSIONS = 1_000
const MAX_PROGRAM = 600
export const MAX_PROGRAMS = 4_000
/** Lines compiled before a file is given up: compiling is what a hostile one could make slow. */
const MAX_TRIED = 2_000
/** Atoms of a line once its counted repetitions are written out; more than any line has without them. */
const MAX_ATOMS = 2_400

export interface Expression {
  /** As it stands. */
  readonly text: string
  /** From 1. */
  readonly line: number
  /** Instructions: what a character of an address may cost. */
  readonly size: number
  readonly matches: (address: string) => boolean
}

// What POSIX does not know, and other engines do: groups with options, Unicode classes, `\Q...\E`.
const FOREIGN = /\(\?|\\[pPQECXG]/
// A class (whose first `]` is a member), an escape, a counted repetition, or any one character.
const TOKEN = /\[\^?\]?(?:\[:\w+:\]|\\.|[^\]])*\]|\\.|\{(\d{1,9})(?:,(\d{0,9}))?\}|[^]/g

/** In which any expression, and all of a file together, are compiled. */
export const EXPRESSION_FLAGS = RE2JS.CASE_INSENSITIVE

/** Told before it is compiled, since that may take half a second and a hundred megabytes for a line of `a{1000}`. */
function atomsOf(text: string): number {
  const outer: number[] = []
  let [atoms, last] = [0, 0]
  for (const [token, from, to] of text.matchAll(TOKEN)) {
    if (from !== undefined) {
      atoms += last * (Math.max(1, Number(from), Number(to ?? 0)) - 1)
      last *= Math.max(1, Number(from), Number(to ?? 0))
    } else if (token === '(') {
      outer.push(atoms)
      atoms = 0
    } else if (token === ')') {
      last = atoms
      atoms += outer.pop() ?? 0
    } else if (token !== '*' && token !== '+' && token !== '?') {
      last = 1
      atoms++
    }
    if (atoms > MAX_ATOMS) break
  }
  return atoms + outer.reduce((sum, part) => sum + part, 0)
}

function compile(text: string): Pick<Expression, 'size' | 'matches'> | undefined {
  if (FOREIGN.test(text) || atomsOf(text) > MAX_ATOMS) return undefined
  try {
    const expression = RE2JS.compile(text, EXPRESSION_FLAGS)
    const size = expression.programSize()
    if (size > MAX_PROGRAM) return undefined
    return { size, matches: address => expression.matcher(address).find() }
  } catch {
    return undefined
  }
}

/**
 * Reads a file of expressions; the tally counts lines that do not compile, and those beyond the limits, as refused. Throws
 * PREAU_FILE_UNREADABLE.
 */
export async function readExpressions(
  file: string,
  onExpression: (expression: Expression) => void = () => {},
  onBytes?: (bytes: number) => void,
): Promise<Tally> {
  const tally = createTally()
  let [tried, programs] = [0, 0]
  await readByteLines(
    file,
    (bytes, start, end, line, isTooLong) => {
      const text = bytes
        .toString('utf8', start, end)
        .replace(/^\uFEFF/, '')
        .trim()
      if (text === '' || text.startsWith('#')) return
      const isTried = !isTooLong && tally.names < MAX_EXPRESSIONS && tried++ < MAX_TRIED
      const compiled = isTried ? compile(text) : undefined
      if (compiled === undefined || programs + compiled.size > MAX_PROGRAMS) {
        refuse(tally, { file, line, text })
        return
      }
      tally.names++
      programs += compiled.size
      onExpression({ ...compiled, text, line })
    },
    onBytes,
  )
  return tally
}
