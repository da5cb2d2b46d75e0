/** The commands about sources, for the table of `cli.ts`. */
import type { Commands } from './command.ts'

export const SOURCE_COMMANDS: Commands = {
  'lists source add': {
    usage:
      'preau lists source add NAME [URL] [--format auto|archive|lines] [--category ID] [--now]',
    takes: ['NAME', 'URL?'],
    options: ['format', 'category', 'now'],
    run: async (config, terminal, [name = '', url], { format, category, now = false }) =>
      (await import('./sources.ts')).sourceAdd(config, terminal, {
        name,
        url,
        format,
        category,
        now,
      }),
  },
  'lists source list': {
    usage: 'preau lists source list [--json]',
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./sources.ts')).sourceList(config, terminal, json),
  },
  'lists source enable': {
    usage: 'preau lists source enable NAME',
    takes: ['NAME'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceSwitch(config, terminal, name, true),
  },
  'lists source disable': {
    usage: 'preau lists source disable NAME',
    takes: ['NAME'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceSwitch(config, terminal, name, false),
  },
  'lists source remove': {
    usage: 'preau lists source remove NAME',
    takes: ['NAME'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./sources.ts')).sourceRemove(config, terminal, name),
  },
  'lists fetch': {
    usage: 'preau lists fetch [NAME]',
    takes: ['NAME?'],
    options: [],
    run: async (config, terminal, [name]) =>
      (await import('./fetch.ts')).listsFetch(config, terminal, name),
  },
}
