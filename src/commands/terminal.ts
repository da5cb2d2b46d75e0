/** Writing for people on a terminal: aligned, coloured only where there is somebody to see it. */
import { relative } from 'node:path'
import { styleText } from 'node:util'
import { createTexts, type Locale, type Translate } from '../i18n.ts'
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
    print: line => output.write(`${line}\n`),
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

// Controls, line separators and bidirectional overrides: what could rewrite the line it stands in (CWE-150).
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** What came from outside, safe on a terminal. */
export function printable(text: string): string {
  return text.replace(UNSAFE, '\uFFFD')
}

/** A path as the person would type it from here. */
export function shorten(path: string): string {
  const fromHere = relative('', path)
  return fromHere.startsWith('..') ? path : fromHere
}
