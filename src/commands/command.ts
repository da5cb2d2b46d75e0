/** What a command of `preau` is, and the options that there are: each command names those it takes. */
import type { parseArgs } from 'node:util'
import type { Config } from '../config.ts'
import type { Terminal } from './terminal.ts'

export const OPTIONS = {
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  ip: { type: 'string' },
  json: { type: 'boolean' },
  category: { type: 'string' },
  name: { type: 'string' },
  hold: { type: 'boolean' },
  activate: { type: 'boolean' },
  format: { type: 'string' },
  user: { type: 'string' },
  'dry-run': { type: 'boolean' },
  role: { type: 'string' },
  now: { type: 'boolean' },
  next: { type: 'boolean' },
  yes: { type: 'boolean' },
} as const

export type OptionName = keyof typeof OPTIONS

export type Options = ReturnType<
  typeof parseArgs<{ readonly options: typeof OPTIONS; readonly allowPositionals: true }>
>['values']

export interface Command {
  /** What its arguments are: `argument.…` of the texts; `?` ends an optional one. */
  readonly takes: readonly string[]
  readonly options: readonly OptionName[]
  readonly run: (
    config: Config,
    terminal: Terminal,
    args: readonly string[],
    options: Options,
  ) => Promise<unknown>
}

export type Commands = Readonly<Record<string, Command>>
