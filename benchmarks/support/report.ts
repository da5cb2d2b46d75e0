/** Prints the table of a question under its machine, date and versions, and keeps it for `--json FILE`. */
import { cpus } from 'node:os'
import type { Contestant } from './contestants/contestant.ts'

export interface Table {
  readonly title: string
  readonly under: string
  readonly rows: readonly Record<string, string | number>[]
}

export const tables: Table[] = []

const machine = (): string => `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`

/** `contestants`: whose versions are told. */
export function report(
  title: string,
  contestants: readonly Pick<Contestant, 'name' | 'version'>[],
  rows: Table['rows'],
): void {
  const peers = contestants
    .filter(({ version }) => version !== process.version)
    .map(({ name, version }) => `${name.replace(/,.*/, '')} ${version}`)
  const today = new Date().toISOString().slice(0, 10)
  const under = [machine(), today, `Node ${process.version}`, ...new Set(peers)].join(' · ')
  tables.push({ title, under, rows })
  console.log(`\n${title}\n${under}`)
  console.table(Object.fromEntries(rows.map(({ what, ...figures }) => [what, figures])))
}
