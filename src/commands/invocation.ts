/** How whoever reads a message would type the command of Préau again: a line that is copied must run as it stands. */
import { readFileSync, realpathSync } from 'node:fs'
import { delimiter, join, sep } from 'node:path'

export interface Surroundings {
  /** The folder in which Préau is installed. */
  readonly root: string
  readonly workingFolder: string
  /** `PATH` of the environment. */
  readonly path: string | undefined
  /** What `--config` said; what the environment says holds for the next command too. */
  readonly configFile: string | undefined
}

/**
 * `preau` where the system knows such a command and it leads here, `npx preau` in the folder of Préau, and its path
 * anywhere else.
 */
export function typedCommand({ root, workingFolder, path, configFile }: Surroundings): string {
  const program = join(root, 'src/preau.js')
  const known = commandOnPath(program, path)
  const typed = known?.name ?? (workingFolder === root ? 'npx preau' : quoted(program))
  if (configFile === undefined || known?.text.includes(configFile)) return typed
  return `${typed} --config ${quoted(configFile)}`
}

interface Known {
  readonly name: string
  /** What stands in it, where it is a script that leads here: it may name the configuration. */
  readonly text: string
}

const MAX_SCRIPT = 4_096

function commandOnPath(program: string, path = ''): Known | undefined {
  for (const folder of path.split(delimiter)) {
    // npm adds its own for as long as a command of its runs.
    if (folder === '' || folder.includes(`node_modules${sep}.bin`)) continue
    const file = join(folder, 'preau')
    try {
      if (realpathSync(file) === program) return { name: 'preau', text: '' }
      const text = readFileSync(file, 'utf8').slice(0, MAX_SCRIPT)
      return text.includes(program) ? { name: 'preau', text } : undefined
    } catch {
      continue
    }
  }
  return undefined
}

/** As a shell reads it back. */
const quoted = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
