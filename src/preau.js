#!/usr/bin/env node
// The `preau` command, in plain JavaScript so that any Node can read it: finds the Node.js that comes with Préau
// (package.json, optionalDependencies) and runs `cli.ts` with it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const WANTED = 26
const cli = fileURLToPath(new URL('cli.ts', import.meta.url))
const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))

if (Number.parseInt(process.versions.node, 10) >= WANTED) {
  await import('./cli.ts')
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  // They are meant for the command. Those of a terminal reach it anyway.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => undefined)
  child.once('exit', (status, signal) => {
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(name)
    if (signal !== null) process.kill(process.pid, signal)
    process.exitCode = status ?? 2
  })
} else {
  process.stderr.write(
    `preau : Node.js ${WANTED} ou plus récent est nécessaire (ici : ${process.version}). ` +
      'Lancez « npm ci » dans le dossier de Préau : la bonne version est fournie.\n',
  )
  process.exitCode = 2
}
