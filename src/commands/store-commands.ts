/** The commands about the store itself, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const STORE_COMMANDS: Commands = {
  'store copy': {
    takes: ['from', 'to'],
    options: [],
    run: async (config, terminal, [from = '', to = '']) =>
      (await import('./store-copy.ts')).storeCopy(config, terminal, from, to),
  },
  'store check': {
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./store-check.ts')).storeCheck(config, terminal, json),
  },
}
