/** The commands about the city's CA, for the table of `cli.ts`. */
import type { Config } from '../config.ts'
import type { Terminal } from './terminal.ts'

interface CaCommand {
  readonly usage: string
  readonly takes: readonly string[]
  readonly options: readonly never[]
  readonly run: (config: Config, terminal: Terminal, args: readonly string[]) => Promise<unknown>
}

export const CA_COMMANDS = {
  'ca export': {
    usage: 'preau ca export [FILE]',
    takes: ['FILE?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./ca.ts')).caExport(config, terminal, file),
  },
  'ca record': {
    usage: 'preau ca record',
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caRecord(config, terminal),
  },
} as const satisfies Record<string, CaCommand>
