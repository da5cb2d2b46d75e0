/** Reads a command line: which command it names, with its arguments and options, or what is wrong with it in one line. */
import { parseArgs } from 'node:util'
import { PreauError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { OPTIONS, type Command, type Commands, type Options } from './command.ts'
import { GENERAL, usageOf } from './help.ts'
import type { CliKey, Terminal } from './terminal.ts'

export type Asked =
  | { readonly kind: 'version'; readonly options: Options }
  /** Of the commands that begin with these words; none: of all. */
  | { readonly kind: 'help'; readonly words: string; readonly options: Options }
  | {
      readonly kind: 'command'
      readonly command: Command
      readonly args: readonly string[]
      readonly options: Options
    }

/** Throws PREAU_USAGE. */
export function readArguments(args: string[], commands: Commands, terminal: Terminal): Asked {
  const { values: options, positionals } = parse(args, terminal)
  if (options.version) return { kind: 'version', options }
  const found = find(positionals, commands)
  if (options.help || positionals.length === 0)
    return { kind: 'help', words: found?.name ?? groupOf(positionals, commands), options }
  if (found === undefined) throw notFound(positionals, commands, terminal)
  assertArguments(found, options, terminal)
  return { kind: 'command', ...found, options }
}

/** Not `strict`, whose refusals are several lines of English: what it would refuse is told here. */
function parse(args: string[], terminal: Terminal) {
  const read = { args, options: OPTIONS, allowPositionals: true } as const
  const known = Object.keys(OPTIONS).map(name => `--${name}`)
  for (const token of parseArgs({ ...read, strict: false, tokens: true }).tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName: option, value, inlineValue } = token
    const type = Object.hasOwn(OPTIONS, name) && OPTIONS[name as keyof typeof OPTIONS].type
    const isMissing = value === undefined || (!inlineValue && value.startsWith('-'))
    if (type === false) {
      const near = nearest(option, known)
      throw usage(terminal, near === undefined ? 'unknownOption' : 'unknownOptionNear', {
        option,
        near: near ?? '',
      })
    }
    if (type === 'string' && isMissing) throw usage(terminal, 'missingValue', { option })
    if (type === 'boolean' && value !== undefined)
      throw usage(terminal, 'needlessValue', { option })
  }
  return parseArgs(read)
}

interface Found {
  readonly name: string
  readonly command: Command
  readonly args: readonly string[]
}

function find(positionals: readonly string[], commands: Commands): Found | undefined {
  for (const length of [3, 2, 1]) {
    const name = positionals.slice(0, length).join(' ')
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command !== undefined) return { name, command, args: positionals.slice(length) }
  }
  return undefined
}

/** The longest beginning that some commands share: `lists source`, `lists`, or nothing. */
function groupOf(positionals: readonly string[], commands: Commands): string {
  for (const length of [2, 1]) {
    const words = positionals.slice(0, length).join(' ')
    if (positionals.length >= length && nextWords(words, commands).length > 0) return words
  }
  return ''
}

/** What may follow these words. */
function nextWords(words: string, commands: Commands): string[] {
  const begin = words === '' ? [] : words.split(' ')
  const followers = Object.keys(commands)
    .map(name => name.split(' '))
    .filter(name => name.length > begin.length && begin.every((word, i) => word === name[i]))
    .map(name => name[begin.length] ?? '')
  return [...new Set(followers)]
}

function notFound(
  positionals: readonly string[],
  commands: Commands,
  terminal: Terminal,
): PreauError {
  const words = groupOf(positionals, commands)
  const next = nextWords(words, commands)
  const depth = words === '' ? 0 : words.split(' ').length
  const odd = positionals[depth]
  if (odd === undefined)
    return usage(terminal, 'incompleteCommand', { words, next: next.join(', ') })
  const command = [...positionals.slice(0, depth), odd].join(' ')
  const near = nearest(odd, next)
  if (near !== undefined)
    return usage(terminal, 'unknownCommandNear', { command, near: `${words} ${near}`.trim() })
  return words === ''
    ? usage(terminal, 'unknownCommand', { command })
    : usage(terminal, 'unknownFollower', { command, words, next: next.join(', ') })
}

function assertArguments({ name, command, args }: Found, given: Options, terminal: Terminal): void {
  const { takes, options } = command
  const typed = usageOf(name, command, terminal)
  const missing = takes.find((what, i) => !what.endsWith('?') && args[i] === undefined)
  if (missing !== undefined) {
    const what = terminal.t(`argument.${missing}` as CliKey)
    throw usage(terminal, 'missingArgument', { what, usage: typed })
  }
  const extra = args[takes.length]
  if (extra !== undefined)
    throw usage(terminal, 'tooManyArguments', { argument: extra, usage: typed })
  const taken: readonly string[] = [...GENERAL, ...options]
  const option = Object.keys(given).find(each => !taken.includes(each))
  if (option !== undefined) throw usage(terminal, 'foreignOption', { option, usage: typed })
}

const usage = (
  { t }: Terminal,
  key: CliKey,
  params: Readonly<Record<string, string>>,
): PreauError => new PreauError('PREAU_USAGE', { detail: t(key, params) })
