/** Every command of Préau that a page, a message or the documents show exists, with the options that are shown. */
import t from 'tap'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './support/product.ts'

const CLI = join(import.meta.dirname, '../src/cli.ts')

/** What is shown as a command: in code, or in the sentences of pages and messages. */
const SHOWN =
  /(?:npx preau|\{preau\}|preau\.js|`preau) ((?:start|check|lists|policy|user|store|ca)\b[^`\n«»"”|]*)/g

const files = [
  'README.md',
  'deploy/README.md',
  'views/locales/cli.fr.json',
  'views/locales/cli.en.json',
  'views/locales/admin.fr.json',
  'views/locales/admin.en.json',
]
const help = new Map<string, Promise<string | undefined>>()

/** Of a file of texts what people read of it, one text a line. */
function textOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  return file.endsWith('.json')
    ? Object.values(JSON.parse(text) as Record<string, string>).join('\n')
    : text
}

/** The help of the longest beginning that is a command; undefined where there is none. */
function helpOf(words: readonly string[]): Promise<string | undefined> {
  const key = words.join(' ')
  const found =
    help.get(key) ??
    runProgram(process.execPath, [CLI, ...words, '--help'], '', { LANG: 'C' }).then(
      ({ code, stdout }) => (code === 0 ? stdout : undefined),
    )
  help.set(key, found)
  return found
}

t.test('each command that is shown exists, with its options', async t => {
  const shown = new Set(
    files.flatMap(file => [...textOf(file).matchAll(SHOWN)].map(([, text = '']) => text.trim())),
  )
  t.ok(shown.size > 20)
  for (const text of shown) {
    const [first = '', ...rest] = text.split(/\s+/)
    // Sub-commands are small letters; an argument is not among them.
    const names = [first, ...rest.slice(0, 2).filter(word => /^[a-z]+$/.test(word))]
    const said = await helpOf(first === 'check' || first === 'start' ? [first] : names.slice(0, 2))
    t.ok(said?.includes(`preau ${first}`), text)
    for (const [option] of text.matchAll(/--[a-z-]+/g))
      t.ok(said?.includes(option), `${text}: ${option}`)
  }
})
