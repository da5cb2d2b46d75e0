/** The programs that tests use and that come from Debian: which are missing here, and bringing them where it may. */
import { spawnSync } from 'node:child_process'
import { runProgram } from './product.ts'

export interface Requirement {
  readonly command: string
  readonly debianPackage: string
  /** The test files that cannot run without it. */
  readonly needs: (file: string) => boolean
}

export const has = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** Resolves what is missing then. */
export async function bringPackages(missing: readonly Requirement[]): Promise<Requirement[]> {
  const mayInstall = process.getuid?.() === 0 && has('apt-get')
  if (mayInstall && missing.length > 0) {
    const packages = missing.map(({ debianPackage }) => debianPackage)
    console.log(`# installing ${packages.join(' ')}`)
    await aptGet('update')
    await aptGet('install', '-y', '--no-install-recommends', ...packages)
  }
  return missing.filter(({ command }) => !has(command))
}

async function aptGet(...args: string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const { code, stderr } = await runProgram('apt-get', ['-qq', ...args], '', env)
  if (code !== 0) console.log(`# apt-get ${args[0]}: ${stderr}`)
}
