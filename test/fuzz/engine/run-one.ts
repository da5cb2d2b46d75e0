/** One target in a process of its own, so that whoever started it sees it crash or hang. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './target.ts'
import { runTarget, type RunOptions, type FuzzReport } from './run-target.ts'
import { TARGETS } from '../targets.ts'
import { show } from './show.ts'

/** What comes back to the starter: a sign of life before each batch, then the report. */
export type Told =
  | { readonly seed: number; readonly tried: number }
  | { readonly report: Omit<FuzzReport, 'finding'>; readonly finding: string | undefined }

class OwnScope implements Scope {
  readonly #ends: (() => unknown)[] = []

  testdir(): string {
    const folder = mkdtempSync(join(tmpdir(), 'preau-fuzz-'))
    this.teardown(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  teardown(end: () => unknown): void {
    this.#ends.unshift(end)
  }

  async close(): Promise<void> {
    for (const end of this.#ends) await end()
  }
}

const [name = '', options = '{}'] = process.argv.slice(2)
const target = TARGETS.find(one => one.name === name)
if (target === undefined) throw new TypeError(`no target ${name}`)
const scope = new OwnScope()
const tell = (told: Told): void => void process.send?.(told)
const { finding, ...report } = await runTarget(target, scope, {
  ...(JSON.parse(options) as RunOptions),
  onBatch: (seed, tried) => tell({ seed, tried }),
})
tell({ report, finding: finding && show(name, finding) })
await scope.close()
process.disconnect?.()
