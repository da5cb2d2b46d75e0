/** `preau policy export | import`: the policy as JSON, there and back. */
import { createReadStream } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { hasCode, PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { parseJson } from '../json-text.ts'
import { CURRENT } from '../policy/document.ts'
import { assertNetworks } from '../policy/network-checks.ts'
import { diffPolicies, type Difference } from '../policy/policy-difference.ts'
import { parsePolicy } from '../policy/policy-document.ts'
import { sayNetworkDoubts } from './network-doubts.ts'
import { writeOutput } from './output-file.ts'
import { printable, type Terminal } from './terminal.ts'

const MAX_BYTES = 64e6
const MAX_AUDITED = 20
const MAX_AUDITED_CHARS = 1_000

export async function policyExport(
  config: Config,
  { t, print, printJson }: Terminal,
  file: string | undefined,
): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const policy = await store.get('policy', CURRENT)
    if (file === undefined) printJson(policy?.body)
    else {
      await writeOutput(file, `${JSON.stringify(policy?.body, undefined, 2)}\n`, config)
      print(t('policy.written', { file }))
    }
  })
}

/**
 * Validates the whole file before anything is written; `dryRun` only shows what would change. What may be meant otherwise
 * than it reads is told, and where it gives a school the PCs of another one it must be `confirmed`.
 */
export async function policyImport(
  config: Config,
  terminal: Terminal,
  file: string,
  { dryRun, confirmed }: { readonly dryRun: boolean; readonly confirmed: boolean },
): Promise<void> {
  const { t, print, paint } = terminal
  const input = await readJson(file)
  await withInstalled(config, async ({ store, catalogue }) => {
    const body = parsePolicy(input, catalogue)
    assertNetworks(body)
    const before = await store.get('policy', CURRENT)
    const differences = diffPolicies(before?.body, body)
    // Two rules of one host have one path: no difference to show is not yet the same policy.
    if (isDeepStrictEqual(before?.body, body)) {
      print(t('policy.same'))
      return
    }
    for (const { kind, line } of differences.map(lineOf)) print(paint(COLOUR[kind], line))
    const open = sayNetworkDoubts(before?.body, body, terminal)
    if (dryRun) {
      print(t('policy.dryRun'))
      return
    }
    if (open > 0 && !confirmed) throw new PreauError('PREAU_POLICY_UNCONFIRMED', { count: open })
    const note = {
      by: 'cli',
      action: 'policy.import',
      detail: { differences: differences.length, changes: summaryOf(differences) },
      at: Date.now(),
    }
    await store.commit(note, [
      { kind: 'policy', id: CURRENT, expects: before?.version ?? 'absent', body },
    ])
    print(t('policy.done', { count: differences.length }))
    const ca = (await store.get('installation', CURRENT))?.body.ca
    const city = body.city.name
    if (ca !== undefined && city !== before?.body.city.name && ca.cityName !== city)
      print(t('ca.renamed', { name: ca.cityName, city }))
  })
}

const show = (value: unknown): string => printable(JSON.stringify(value))

const SIGN = { added: '+', removed: '-', changed: '~' } as const
const COLOUR = { added: 'green', removed: 'red', changed: 'yellow' } as const

function lineOf({ path, before, after }: Difference): {
  readonly kind: keyof typeof SIGN
  readonly line: string
} {
  const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  const values = [before, after].filter(value => value !== undefined).map(show)
  return { kind, line: `${SIGN[kind]} ${printable(path)} : ${values.join(' → ')}` }
}

/** What the audit keeps of an import: before and after, as many as a person would read. */
function summaryOf(differences: readonly Difference[]): string {
  const lines = differences.slice(0, MAX_AUDITED).map(difference => lineOf(difference).line)
  return lines.join(' ; ').slice(0, MAX_AUDITED_CHARS)
}

async function readJson(file: string): Promise<unknown> {
  try {
    return parseJson(await readBounded(file))
  } catch (error) {
    return refuseFile(file, error)
  }
}

/** Also of a pipe (`<(...)`), which has no size to ask for; `/dev/zero` has no end either. */
async function readBounded(file: string): Promise<Uint8Array> {
  // A shell of root has opened standard input; the file itself may be closed to the user of the service.
  const input = file === '-' ? process.stdin : createReadStream(file)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BYTES) throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: TOO_LARGE })
  }
  return Buffer.concat(chunks)
}

const TOO_LARGE = { fr: `plus de ${MAX_BYTES / 1e6} Mo`, en: `more than ${MAX_BYTES / 1e6} MB` }

function refuseFile(file: string, error: unknown): never {
  if (hasCode(error, 'PREAU_FILE_UNREADABLE')) throw error
  throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })
}
