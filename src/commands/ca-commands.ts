/** The commands about the city's CA, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const CA_COMMANDS: Commands = {
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
}
