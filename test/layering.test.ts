/** The architecture that the folders promise, read from the imports (README, « How it is built »). */
import t from 'tap'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Later rows may be imported by earlier ones, never the other way, and never within a row. */
const LAYERS: readonly (readonly string[])[] = [
  ['preau'],
  ['cli'],
  ['commands'],
  ['supervision'],
  ['child'],
  ['main'],
  ['succession'],
  ['housekeeping', 'updates'],
  ['snapshot'],
  ['install', 'install-authority'],
  ['last-state'],
  ['install-lists', 'install-owner'],
  ['shared-lists'],
  ['admin', 'portal', 'proxy'],
  ['directory', 'access-log', 'tls', 'store', 'categories'],
  ['policy'],
]
const LEAVES = new Set([
  'errors',
  'error-detail',
  'fault-log',
  'durable-file',
  'machine',
  'metrics',
  'asking',
  'listening',
  'messages',
  'i18n',
  'spoken-hours',
  'config',
  'config-lists',
  'config-store',
  'config-limits',
  'config-environment',
  'nearest',
  'json-text',
  'command-name',
  'schema-faults',
  'config-parents',
])

/** The folder of `src` a file belongs to, or its own name at the top. */
const roomOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.(?:ts|js)$/, '')
const layerOf = (room: string): number => LAYERS.findIndex(row => row.includes(room))

const files = globSync('src/**/*.{ts,js}').sort()
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(match =>
    normalize(join(dirname(file), match[1] ?? '')),
  )

t.test('every folder of src has its place in the layers', async t => {
  for (const room of new Set(files.map(roomOf)))
    t.ok(layerOf(room) !== -1 || LEAVES.has(room), room)
})

t.test('an arrow goes down only, never up and never to a sibling', async t => {
  for (const file of files) {
    for (const imported of importsOf(file).filter(path => path.startsWith('src/'))) {
      const [from, to] = [roomOf(file), roomOf(imported)]
      if (from === to) continue
      // The configuration names hosts and addresses: it may know the pure core, and nothing else.
      if (LEAVES.has(from)) t.ok(LEAVES.has(to) || to === 'policy', `${file} -> ${imported}`)
      else t.ok(LEAVES.has(to) || layerOf(from) < layerOf(to), `${file} -> ${imported}`)
    }
  }
})

t.test('the core reads no clock, no file, no socket and no logger', async t => {
  for (const file of files.filter(name => roomOf(name) === 'policy')) {
    const text = readFileSync(file, 'utf8')
    t.notMatch(
      text,
      /Date\.now|new Date\(\)|Temporal\.Now|performance\.|process\.|setTimeout|console\.|randomUUID/,
      file,
    )
    const packages = [...text.matchAll(/from '([^.'][^']*)'/g)].map(match => match[1])
    for (const name of packages)
      t.ok(['zod', 'ip-cidr', 'node:net', 'node:url'].includes(name ?? ''), `${file}: ${name}`)
  }
})

t.test('only config.ts and the command line read the environment and the arguments', async t => {
  for (const file of files.filter(name => !['config', 'cli', 'preau'].includes(roomOf(name)))) {
    t.notMatch(readFileSync(file, 'utf8'), /process\.(?:env|argv)/, file)
  }
})

t.test('only the store knows SQL, and only the race and the resolver reach outward', async t => {
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    if (roomOf(file) !== 'store') t.notMatch(text, /node:sqlite|ioredis/, file)
    if (!file.endsWith('proxy/name-servers.ts')) t.notMatch(text, /node:dns/, file)
    // The meeting place is a socket of the file system.
    if (!file.endsWith('proxy/race.ts') && !file.endsWith('succession/meeting-place.ts'))
      t.notMatch(
        text,
        /\{[^}]*\b(?:connect|createConnection)\b[^}]*\} from 'node:(?:net|tls)'|(?:net|tls)\.c(?:onnect|reateC)/,
        file,
      )
  }
})

t.test('nothing is exported that nobody imports', async t => {
  const words = new Map(
    globSync(['src/**/*.{ts,js}', 'test/**/*.ts', 'benchmarks/**/*.ts']).map(file => [
      file,
      new Set(readFileSync(file, 'utf8').match(/\w+/g)),
    ]),
  )
  // Types go with the functions that take them.
  const exported = /^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm
  for (const file of words.keys()) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(exported)) {
      const isAsked = [...words].some(([other, said]) => other !== file && said.has(name))
      t.ok(isAsked, `${file}: ${name}`)
    }
  }
})

t.test('no source file has grown beyond what one reads in a sitting', async t => {
  for (const file of files) t.ok(readFileSync(file, 'utf8').split('\n').length <= 300, file)
})
