/** The commands about sources, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const SOURCE_COMMANDS: Commands = {
  'lists source add': {
    takes: ['name', 'url?'],
    options: ['format', 'category', 'user', 'now'],
    run: async (config, terminal, [name = '', url], { format, category, user, now = false }) =>
      (await import('./sources.ts')).sourceAdd(config, terminal, {
        name,
        url,
        format,
        category,
        user,
        now,
      }),
  },
  'lists source list': {
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./sources.ts')).sourceList(config, terminal, json),
  },
  'lists source enable': {
    takes: ['name'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceSwitch(config, terminal, name, true),
  },
  'lists source disable': {
    takes: ['name'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceSwitch(config, terminal, name, false),
  },
  'lists source remove': {
    takes: ['name'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceRemove(config, terminal, name),
  },
  'lists fetch': {
    takes: ['name?'],
    options: [],
    run: async (config, terminal, [name]) =>
      (await import('./fetch.ts')).listsFetch(config, terminal, name),
  },
}
