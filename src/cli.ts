/** The `preau` command: parses its arguments and calls one function per command. */
import { join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { setCommandName } from './command-name.ts'
import { readArguments } from './commands/arguments.ts'
import { CA_COMMANDS } from './commands/ca-commands.ts'
import type { Commands } from './commands/command.ts'
import { helpOf } from './commands/help.ts'
import { typedCommand } from './commands/invocation.ts'
import { SOURCE_COMMANDS } from './commands/source-commands.ts'
import { STORE_COMMANDS } from './commands/store-commands.ts'
import { createTerminal, printable } from './commands/terminal.ts'
import { loadConfig, type Config } from './config.ts'
import { detailOf } from './error-detail.ts'
import { PreauError } from './errors.ts'
import type { Locale } from './i18n.ts'

// A command loads its own code only: the terminal should answer at once.
const COMMANDS: Commands = {
  start: {
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
    takes: ['host'],
    options: ['ip', 'json'],
    run: async (config, terminal, [host = ''], { ip, json = false }) =>
      (await import('./commands/check.ts')).check(config, terminal, { host, ip, json }),
  },
  'lists import': {
    takes: ['source'],
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
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./commands/lists.ts')).listsShow(config, terminal, json),
  },
  'lists remove': {
    takes: ['name'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./commands/lists.ts')).listsRemove(config, terminal, name),
  },
  'lists rebuild': {
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/lists.ts')).listsRebuild(config, terminal),
  },
  'lists diff': {
    takes: [],
    options: ['json'],
    run: async (config, terminal, _args, { json = false }) =>
      (await import('./commands/candidate.ts')).listsDiff(config, terminal, json),
  },
  'lists activate': {
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsActivate(config, terminal),
  },
  'lists discard': {
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsDiscard(config, terminal),
  },
  'lists rollback': {
    takes: [],
    options: [],
    run: async (config, terminal) =>
      (await import('./commands/candidate.ts')).listsRollback(config, terminal),
  },
  ...SOURCE_COMMANDS,
  'policy export': {
    takes: ['file?'],
    options: [],
    run: async (config, terminal, [file]) =>
      (await import('./commands/policy.ts')).policyExport(config, terminal, file),
  },
  'policy import': {
    takes: ['file'],
    options: ['dry-run', 'yes'],
    run: async (config, terminal, [file = ''], { 'dry-run': dryRun = false, yes = false }) =>
      (await import('./commands/policy.ts')).policyImport(config, terminal, file, {
        dryRun,
        confirmed: yes,
      }),
  },
  'user add': {
    takes: ['name'],
    options: ['role'],
    run: async (config, terminal, [name = ''], { role = 'dsi' }) =>
      (await import('./commands/user.ts')).userAdd(config, terminal, name, role),
  },
  'user passwd': {
    takes: ['name'],
    options: [],
    run: async (config, terminal, [name = '']) =>
      (await import('./commands/user.ts')).userPasswd(config, terminal, name),
  },
  ...CA_COMMANDS,
  ...STORE_COMMANDS,
}

const readConfig = (file: string | undefined, env: NodeJS.ProcessEnv): Config =>
  loadConfig(file ?? env['PREAU_CONFIG'], env)

/** 0: allowed or done; 1: the filter refuses; 2: an error, told in one line. */
async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const language = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  const locale: Locale = language.startsWith('en') ? 'en' : 'fr'
  const terminal = createTerminal(locale, process.stdout)
  try {
    nameCommand(undefined, env)
    const asked = readArguments(args, COMMANDS, terminal)
    nameCommand(asked.options.config, env)
    if (asked.kind === 'version') {
      terminal.print(`preau ${manifest.version} (Node.js ${process.versions.node})`)
      return 0
    }
    if (asked.kind === 'help') {
      terminal.print(helpOf(asked.words, COMMANDS, terminal))
      return asked.options.help ? 0 : 2
    }
    const { command, args: rest, options } = asked
    const config = readConfig(options.config, env)
    return (await command.run(config, terminal, rest, options)) === false ? 1 : 0
  } catch (error) {
    const known =
      error instanceof PreauError
        ? error
        : new PreauError('PREAU_INTERNAL', { detail: detailOf(error) })
    // Names of files and what stands in them come from outside: one line, and nothing that steers the terminal.
    const line = known.text(locale).replaceAll(/\s*\n\s*/g, ' ')
    process.stderr.write(`preau${locale === 'fr' ? ' ' : ''}: ${printable(line)}\n`)
    return 2
  }
}

function nameCommand(configFile: string | undefined, env: NodeJS.ProcessEnv): void {
  const root = join(import.meta.dirname, '..')
  const workingFolder = process.cwd()
  setCommandName(typedCommand({ root, workingFolder, path: env['PATH'], configFile }))
}

// Whoever has closed the window, or the other end of a pipe, is no reason to end badly.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)
process.exitCode = await main(process.argv.slice(2), process.env)
