/** The commands about the store itself, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const STORE_COMMANDS: Commands = {
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
}
