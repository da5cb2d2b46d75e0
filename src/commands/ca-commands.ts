/** The commands about the city's CA, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const CA_COMMANDS: Commands = {
  'ca export': {
    takes: ['file?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./ca.ts')).caExport(config, terminal, file),
  },
  'ca record': {
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caRecord(config, terminal),
  },
}
