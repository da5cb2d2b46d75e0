/** The store is there and in trouble: slow, cutting its connections, or answering nothing but errors. Verdicts take no notice. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Shim, Trouble } from '../faults/shim.ts'
import type { Load } from '../load/load.ts'
import { converge } from './converge.ts'

const TROUBLES: readonly Trouble[] = [
  { kind: 'slow', ms: 2_000 },
  { kind: 'cutting', ms: 300 },
  { kind: 'error', text: 'LOADING Redis is loading the dataset in memory' },
  { kind: 'error', text: "OOM command not allowed when used memory > 'maxmemory'." },
  { kind: 'error', text: "READONLY You can't write against a read only replica." },
]

/** Answers how long until all worked again, each time. */
export async function troubleStore(load: Load, shim: Shim, lastsMs: number): Promise<number[]> {
  const times: number[] = []
  for (const trouble of TROUBLES) {
    await load.watch.disturb(`the store is in trouble: ${nameOf(trouble)}`, async () => {
      shim.trouble = trouble
      await elapsed(lastsMs)
      shim.trouble = { kind: 'none' }
      times.push(await converge(load))
    })
  }
  return times
}

const nameOf = (trouble: Trouble): string =>
  trouble.kind === 'error' ? (trouble.text.split(' ')[0] ?? '') : trouble.kind
