/** The `preau` command: parses its arguments and calls one function per command. */
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { CA_COMMANDS } from './commands/ca-commands.ts'
import { OPTIONS, type Command, type Commands, type Options } from './commands/command.ts'
import { SOURCE_COMMANDS } from './commands/source-commands.ts'
import { STORE_COMMANDS } from './commands/store-commands.ts'
import { createTerminal, printable, type Terminal } from './commands/terminal.ts'
import { loadConfig, type Config } from './config.ts'
import { causeOf, PreauError } from './errors.ts'
import type { Locale } from './i18n.ts'

// A command loads its own code only: the terminal should answer at once.
const COMMANDS: Commands = {
  start: {
    usage: 'preau start',
    takes: [],
    options: [],
    run: async (config, terminal, _args, { config: file }) =>
      (await import('./commands/start.ts')).start(config, terminal, {
        readConfig: () => readConfig(file, process.env),
        service: {
          isToldTo: Boolean(process.env['NOTIFY_SOCKET']),
          watchdogMs: Number(process.env['WATCHDOG_USEC'] ?? 0) / 1_000,
        },
      }),
  },
  check: {
    usage: 'preau check HOST [--ip ADDRESS] [--json]',
    takes: ['HOST'],
    options: ['ip', 'json'],
    run: async (config, terminal, [host = ''], { ip = '127.0.0.1', json = false }) =>
      (await import('./commands/check.ts')).check(config, terminal, { host, ip, json }),
  },
  'lists import': {
    usage: 'preau lists import PATH|URL [--category ID] [--name NAME] [--activate|--hold]',
    takes: ['PATH|URL'],
    options: ['category', 'name', 'format', 'activate', 'hold', 'json'],
    run: async (config, terminal, [path = ''], { category, name, format, activate, hold, json }) =>
      (await import('./commands/lists.ts')).listsImport(config, terminal, {
        path,
        category,
        name,
        format,
        mode: hold ? 'hold' : activate ? 'activate' : 'auto',
        isJson: json ?? false,
      }),
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
  'lists rebuild': {
    usage: 'preau lists rebuild',
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/lists.ts')).listsRebuild(config, terminal),
  },
  'lists diff': {
    usage: 'preau lists diff [--json]',
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./commands/candidate.ts')).listsDiff(config, terminal, json),
  },
  'lists activate': {
    usage: 'preau lists activate',
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsActivate(config, terminal),
  },
  'lists discard': {
    usage: 'preau lists discard',
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsDiscard(config, terminal),
  },
  'lists rollback': {
    usage: 'preau lists rollback',
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsRollback(config, terminal),
  },
  ...SOURCE_COMMANDS,
  'policy export': {
    usage: 'preau policy export [FILE]',
    takes: ['FILE?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./commands/policy.ts')).policyExport(config, terminal, file),
  },
  'policy import': {
    usage: 'preau policy import FILE [--dry-run] [--yes]',
    takes: ['FILE'],
    options: ['dry-run', 'yes'],
    run: async (config, terminal, [file = ''], { 'dry-run': dryRun = false, yes = false }) =>
      (await import('./commands/policy.ts')).policyImport(config, terminal, file, {
        dryRun,
        confirmed: yes,
      }),
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
  ...CA_COMMANDS,
  ...STORE_COMMANDS,
}

/** Not `strict`, whose refusals are several lines of English: what it would refuse is told here. */
function parse(args: string[], { t }: Terminal) {
  const read = { args, options: OPTIONS, allowPositionals: true } as const
  for (const token of parseArgs({ ...read, strict: false, tokens: true }).tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const type = Object.hasOwn(OPTIONS, name) && OPTIONS[name as keyof typeof OPTIONS].type
    const isMissing = value === undefined || (!inlineValue && value.startsWith('-'))
    const problem =
      type === false
        ? 'unknownOption'
        : type === 'string' && isMissing
          ? 'missingValue'
          : type === 'boolean' && value !== undefined
            ? 'needlessValue'
            : undefined
    if (problem !== undefined)
      throw new PreauError('PREAU_USAGE', { detail: t(problem, { option: rawName }) })
  }
  return parseArgs(read)
}

function find(
  positionals: readonly string[],
  { t }: Terminal,
): { command: Command; args: readonly string[] } {
  for (const length of [3, 2, 1]) {
    const name = positionals.slice(0, length).join(' ')
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command !== undefined) return { command, args: positionals.slice(length) }
  }
  const command = positionals.slice(0, 2).join(' ')
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
      detail: t('tooManyArguments', { argument: extra, usage }),
    })
  }
}

const readConfig = (file: string | undefined, env: NodeJS.ProcessEnv): Config =>
  loadConfig(file ?? env['PREAU_CONFIG'], env)

/** 0: allowed or done; 1: the filter refuses; 2: an error, told in one line. */
async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const language = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  const locale: Locale = language.startsWith('en') ? 'en' : 'fr'
  const terminal = createTerminal(locale, process.stdout)
  if (locale === 'fr') z.config(z.locales.fr())
  try {
    const { values, positionals } = parse(args, terminal)
    if (values.help || positionals.length === 0) {
      terminal.print(terminal.t('usage'))
      return values.help ? 0 : 2
    }
    const { command, args: rest } = find(positionals, terminal)
    assertArguments(command, rest, values, terminal)
    const config = readConfig(values.config, env)
    return (await command.run(config, terminal, rest, values)) === false ? 1 : 0
  } catch (error) {
    const known =
      error instanceof PreauError
        ? error
        : new PreauError('PREAU_INTERNAL', { detail: causeOf(error) })
    // Names of files and what stands in them come from outside: one line, and nothing that steers the terminal.
    const line = known.text(locale).replaceAll(/\s*\n\s*/g, ' ')
    process.stderr.write(`preau : ${printable(line)}\n`)
    return 2
  }
}

// Whoever has closed the window, or the other end of a pipe, is no reason to end badly.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)
process.exitCode = await main(process.argv.slice(2), process.env)
