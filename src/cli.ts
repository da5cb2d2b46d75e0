/** The `preau` command: parses its arguments and calls one function per command. */
import { parseArgs } from 'node:util'
import { createTerminal, printable, type Terminal } from './commands/terminal.ts'
import { loadConfig, type Config } from './config.ts'
import { PreauError } from './errors.ts'
import type { Locale } from './i18n.ts'

const OPTIONS = {
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  ip: { type: 'string' },
  json: { type: 'boolean' },
  category: { type: 'string' },
  name: { type: 'string' },
  'dry-run': { type: 'boolean' },
  role: { type: 'string' },
} as const

type Options = ReturnType<typeof parse>['values']
interface Command {
  readonly usage: string
  /** Names of its arguments; `?` ends an optional one. */
  readonly takes: readonly string[]
  readonly options: readonly (keyof typeof OPTIONS)[]
  readonly run: (
    config: Config,
    terminal: Terminal,
    args: readonly string[],
    options: Options,
  ) => Promise<unknown>
}

// A command loads its own code only: the terminal should answer at once.
const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    usage: 'preau start',
    takes: [],
    options: [],
    run: async (config, terminal) => (await import('./commands/start.ts')).start(config, terminal),
  },
  check: {
    usage: 'preau check HOST [--ip ADDRESS] [--json]',
    takes: ['HOST'],
    options: ['ip', 'json'],
    run: async (config, terminal, [host = ''], { ip = '127.0.0.1', json = false }) =>
      (await import('./commands/check.ts')).check(config, terminal, { host, ip, json }),
  },
  'lists import': {
    usage: 'preau lists import PATH [--category ID] [--name NAME]',
    takes: ['PATH'],
    options: ['category', 'name'],
    run: async (config, terminal, [path = ''], { category, name }) =>
      (await import('./commands/lists.ts')).listsImport(config, terminal, { path, category, name }),
  },
  'lists show': {
    usage: 'preau lists show [--json]',
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./commands/lists.ts')).listsShow(config, terminal, json),
  },
  'lists remove': {
    usage: 'preau lists remove NAME',
    takes: ['NAME'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./commands/lists.ts')).listsRemove(config, terminal, name),
  },
  'policy export': {
    usage: 'preau policy export [FILE]',
    takes: ['FILE?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./commands/policy.ts')).policyExport(config, terminal, file),
  },
  'policy import': {
    usage: 'preau policy import FILE [--dry-run]',
    takes: ['FILE'],
    options: ['dry-run'],
    run: async (config, terminal, [file = ''], { 'dry-run': dryRun = false }) =>
      (await import('./commands/policy.ts')).policyImport(config, terminal, file, dryRun),
  },
  'user add': {
    usage: 'preau user add NAME [--role dsi|reader]',
    takes: ['NAME'],
    options: ['role'],
    run: async (config, terminal, [name = ''], { role = 'dsi' }) =>
      (await import('./commands/user.ts')).userAdd(config, terminal, name, role),
  },
  'user passwd': {
    usage: 'preau user passwd NAME',
    takes: ['NAME'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./commands/user.ts')).userPasswd(config, terminal, name),
  },
  'ca export': {
    usage: 'preau ca export [FILE]',
    takes: ['FILE?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./commands/ca.ts')).caExport(config, terminal, file),
  },
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new PreauError(
      'PREAU_USAGE',
      { detail: error instanceof Error ? error.message : String(error) },
      { cause: error },
    )
  }
}

function find(
  positionals: readonly string[],
  { t }: Terminal,
): { command: Command; args: readonly string[] } {
  for (const length of [2, 1]) {
    const command = COMMANDS[positionals.slice(0, length).join(' ')]
    if (command !== undefined) return { command, args: positionals.slice(length) }
  }
  const command = printable(positionals.slice(0, 2).join(' '))
  throw new PreauError('PREAU_USAGE', { detail: t('unknownCommand', { command }) })
}

function assertArguments(
  { takes, usage, options }: Command,
  args: readonly string[],
  given: Options,
  { t }: Terminal,
): void {
  const missing = takes.find((name, i) => !name.endsWith('?') && args[i] === undefined)
  if (missing !== undefined) {
    throw new PreauError('PREAU_USAGE', { detail: t('missingArgument', { what: missing, usage }) })
  }
  const extra =
    args[takes.length] ??
    Object.keys(given).find(name => !['config', 'help', ...options].includes(name))
  if (extra !== undefined) {
    throw new PreauError('PREAU_USAGE', {
      detail: t('tooManyArguments', { argument: printable(extra), usage }),
    })
  }
}

/** 0: allowed or done; 1: the filter refuses; 2: an error, told in one line. */
async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const language = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  const locale: Locale = language.startsWith('en') ? 'en' : 'fr'
  const terminal = createTerminal(locale, process.stdout)
  try {
    const { values, positionals } = parse(args)
    if (values.help || positionals.length === 0) {
      terminal.print(terminal.t('usage'))
      return values.help ? 0 : 2
    }
    const { command, args: rest } = find(positionals, terminal)
    assertArguments(command, rest, values, terminal)
    const config = loadConfig(values.config ?? env['PREAU_CONFIG'], env)
    return (await command.run(config, terminal, rest, values)) === false ? 1 : 0
  } catch (error) {
    if (!(error instanceof PreauError)) throw error
    process.stderr.write(`preau : ${error.text(locale)}\n`)
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2), process.env)
