/** The commands about the store itself, for the table of `cli.ts`. */
import type { Config } from '../config.ts'
import type { Terminal } from './terminal.ts'

interface StoreCommand {
  readonly usage: string
  readonly takes: readonly string[]
  readonly options: readonly 'json'[]
  readonly run: (
    config: Config,
    terminal: Terminal,
    args: readonly string[],
    options: { readonly json?: boolean | undefined },
  ) => Promise<unknown>
}

export const STORE_COMMANDS = {
  'store copy': {
    usage: 'preau store copy FROM TO',
    takes: ['FROM', 'TO'],
    options: [],
    run: async (config, terminal, [from = '', to = '']) =>
      (await import('./store-copy.ts')).storeCopy(config, terminal, from, to),
  },
  'store check': {
    usage: 'preau store check [--json]',
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./store-check.ts')).storeCheck(config, terminal, json),
  },
} satisfies Readonly<Record<string, StoreCommand>>
