/** Writing for people on a terminal: aligned, coloured only where there is somebody to see it. */
import { relative, resolve } from 'node:path'
import { styleText } from 'node:util'
import { createTexts, type Locale, type Translate } from '../i18n.ts'
import { UNPRINTABLE } from '../policy/unprintable.ts'
import en from '../../views/locales/cli.en.json' with { type: 'json' }
import fr from '../../views/locales/cli.fr.json' with { type: 'json' }

export type CliKey = keyof typeof fr
type Style = Parameters<typeof styleText>[0]

const texts = createTexts<CliKey>({ fr, en })

/** Where a command writes, and in which language. */
export interface Terminal {
  readonly locale: Locale
  readonly t: Translate<CliKey>
  readonly isTty: boolean
  readonly paint: (style: Style, text: string) => string
  readonly print: (line: string) => void
  /** Beside what was asked for: not in the way of whoever reads the output by a program. */
  readonly remark: (line: string) => void
  /** For scripts: as it is, with what a terminal could obey written as `\uXXXX`, which reads back the same. */
  readonly printJson: (value: unknown) => void
  /** A line that the next one replaces; nothing where nobody looks. */
  readonly progress: (line: string) => void
}

export function createTerminal(locale: Locale, output: NodeJS.WriteStream): Terminal {
  const isTty = output.isTTY
  return {
    locale,
    t: texts(locale),
    isTty,
    paint: (style, text) => (isTty ? styleText(style, text) : text),
    print: line => output.write(`${shown(line, isTty)}\n`),
    remark: line => process.stderr.write(`${printable(line)}\n`),
    printJson: value => output.write(`${escapeJson(JSON.stringify(value, undefined, 2))}\n`),
    progress: line => {
      if (isTty) output.write(`\r\x1b[2K${line}`)
    },
  }
}

/** Rows as columns, the last one not padded; `right` names the columns of numbers. */
export function table(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  )
  return rows.map(row =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        if (right.has(column)) return cell.padStart(width)
        return column === row.length - 1 ? cell : cell.padEnd(width)
      })
      .join('  '),
  )
}

/** What came from outside, safe on a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD')
}

// The few styles that `paint` is asked for: none of them hides text.
// oxlint-disable-next-line no-control-regex -- an escape sequence begins with a control character
const OUR_STYLE = /(\u001b\[(?:[0-2]|22|3[0-79])m|\n)/

/** The last look at what goes out: whatever a command forgot, only our own styles steer the terminal. */
function shown(text: string, isTty: boolean): string {
  const parts = text.split(isTty ? OUR_STYLE : /(\n)/)
  return parts.map((part, i) => (i % 2 === 0 ? printable(part) : part)).join('')
}

/** The lines of the JSON stay; inside its texts a line end is written as an escape already. */
function escapeJson(json: string): string {
  return json.replace(UNPRINTABLE, run => Array.from(run, escapeChar).join(''))
}

const escapeChar = (char: string): string =>
  char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A path as the person would type it from here. A service is at the root: who reads its log is elsewhere. */
export function shorten(path: string): string {
  const fromHere = relative('', path)
  const isShorter = fromHere !== '' && !fromHere.startsWith('..') && resolve('') !== '/'
  return isShorter ? fromHere : path
}
