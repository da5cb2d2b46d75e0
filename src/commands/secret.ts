/** A password: asked for on a terminal without showing it, or the first line of standard input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { PreauError } from '../errors.ts'
import type { Terminal } from './terminal.ts'

/** Asks each question; all answers must be the same. */
export async function readSecret(questions: readonly string[], { t }: Terminal): Promise<string> {
  if (!process.stdin.isTTY) return firstLine(t)
  const answers: string[] = []
  for (const question of questions) answers.push(await ask(question))
  const [secret = '', ...repeated] = answers
  if (repeated.every(answer => answer === secret)) return secret
  throw new PreauError('PREAU_USAGE', { detail: t('user.mismatch') })
}

async function firstLine(t: Terminal['t']): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    lines.close()
    return line
  }
  throw new PreauError('PREAU_USAGE', { detail: t('user.noPassword') })
}

/** Asks without showing what is typed. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
