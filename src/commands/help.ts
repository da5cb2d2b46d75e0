/** What `--help` says: of all commands, of a group of them (`lists`), or of one. */
import { commandName } from '../command-name.ts'
import { OPTIONS, type Command, type Commands } from './command.ts'
import type { CliKey, Terminal } from './terminal.ts'

const INDENT = ' '.repeat(6)
/** Those that every command takes. */
export const GENERAL = ['config', 'help', 'version'] as const

/** How a command is typed, with a name for each argument, in the language of the reader. */
export function usageOf(name: string, { takes, options }: Command, { t }: Terminal): string {
  const args = takes.map(what => {
    const shown = t(`argument.${what.replace('?', '')}` as CliKey)
    return what.endsWith('?') ? `[${shown}]` : shown
  })
  const switches = options.map(option =>
    OPTIONS[option].type === 'boolean'
      ? `[--${option}]`
      : `[--${option} ${t(`value.${option}` as CliKey)}]`,
  )
  return [commandName(), name, ...args, ...switches].join(' ')
}

/** Each command whose name begins with these words: how it is typed, and what it does. */
export function helpOf(words: string, commands: Commands, terminal: Terminal): string {
  const { t } = terminal
  const about = Object.entries(commands)
    .filter(([name]) => words === '' || name === words || name.startsWith(`${words} `))
    .map(
      ([name, command]) =>
        `  ${usageOf(name, command, terminal)}\n${INDENT}${t(`does.${name}` as CliKey)}`,
    )
  const head = words === '' ? [t('help.title'), ''] : []
  return [...head, ...about, '', t('help.general')].join('\n')
}
