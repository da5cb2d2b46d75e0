/** The commands about the city's CA, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const CA_COMMANDS: Commands = {
  'ca export': {
    takes: ['file?'],
    options: ['next'],
    run: async (config, terminal, [file], { next = false }) =>
      (await import('./ca.ts')).caExport(config, terminal, file, next),
  },
  'ca show': {
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./ca.ts')).caShow(config, terminal, json),
  },
  'ca renew': {
    takes: [],
    options: ['now'],
    run: async (config, terminal, _args, { now = false }) =>
      (await import('./ca.ts')).caRenew(config, terminal, now),
  },
  'ca activate': {
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caActivate(config, terminal),
  },
  'ca discard': {
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caDiscard(config, terminal),
  },
  'ca rollback': {
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caRollback(config, terminal),
  },
  'ca record': {
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./ca.ts')).caRecord(config, terminal),
  },
}
