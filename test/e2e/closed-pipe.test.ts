/** Whoever reads only the first lines of a command is not answered with a stack trace. */
import { join } from 'node:path'
import t from 'tap'
import { runCli, runProgram, writeConfig } from '../support/product.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

t.test('a command whose reader goes away ends without a word', async t => {
  const config = writeConfig(t.testdir(), {})
  await runCli(config, ['check', 'www.jeux.fr'])
  // The reader is gone before the first line is written.
  const line = '"$0" "$1" check www.jeux.fr --config "$2" | true'
  const { stderr } = await runProgram('sh', ['-c', line, process.execPath, CLI, config])
  t.equal(stderr, '')
})
