/** The table at the end of the soak: what was done, how often, what was lost, and what it cost. */
import type { Use } from './resources.ts'
import { median, type Outcome } from './scenarios/outcome.ts'

export interface Stretch {
  readonly outcome: Outcome
  readonly start: readonly Use[]
  readonly end: readonly Use[]
  /** What else was measured, one line each. */
  readonly notes: readonly string[]
}

export function printTable(stretches: readonly Stretch[], print: (line: string) => void): void {
  const rows = [
    [
      'what was done',
      'times',
      'acknowledged',
      'lost',
      'verdicts',
      'wrong or failed',
      'cut',
      'found nobody',
      'recovery',
      'verdict p99',
      'worst',
    ],
    ...stretches.map(({ outcome }) => rowOf(outcome)),
  ]
  printRows(rows, print)
  print('')
  printRows(
    [['memory and descriptors', 'part', 'MB', 'descriptors'], ...stretches.flatMap(useRows)],
    print,
  )
  print('')
  for (const { outcome, notes } of stretches) {
    for (const note of notes) print(`${outcome.what}: ${note}`)
    for (const line of outcome.lost.slice(0, 20)) print(`LOST  ${outcome.what}: ${line}`)
    for (const fault of outcome.faults.slice(0, 20))
      print(
        `FAULT ${new Date(fault.at).toISOString()} ${fault.kind} during ${fault.during}: ${fault.what}`,
      )
  }
}

function rowOf(outcome: Outcome): string[] {
  const { recoveriesMs, disturbedVerdictMs } = outcome
  const recovery =
    recoveriesMs.length === 0
      ? '-'
      : `${Math.round(median(recoveriesMs))} ms, worst ${Math.round(Math.max(...recoveriesMs))}`
  return [
    outcome.what,
    String(outcome.times),
    String(outcome.acknowledged),
    String(outcome.lost.length),
    String(outcome.verdicts),
    String(outcome.faultCount),
    String(outcome.cut),
    String(outcome.unserved),
    recovery,
    `${disturbedVerdictMs.p99.toFixed(1)} ms`,
    `${disturbedVerdictMs.worst.toFixed(0)} ms`,
  ]
}

function useRows({ outcome, start, end }: Stretch): string[][] {
  return start.map((before, i) => {
    const after = end[i]
    return [
      outcome.what,
      before.role,
      `${before.megabytes.toFixed(0)} -> ${after?.megabytes.toFixed(0)}`,
      `${before.descriptors} -> ${after?.descriptors}`,
    ]
  })
}

function printRows(rows: readonly (readonly string[])[], print: (line: string) => void): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  for (const [i, row] of rows.entries()) {
    print(`| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
    if (i === 0) print(`| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`)
  }
}
