/** CPU and memory of a tree of processes, from `/proc`. */
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [
    pid,
    ...(children === '' ? [] : children.split(' ').flatMap(child => treeOf(Number(child)))),
  ]
}

/** User and system time of a process and its descendants, in microseconds. */
export function cpuMicros(pid: number): number {
  const ticks = treeOf(pid).map(each => {
    const fields = readFileSync(`/proc/${each}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return (ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND) * 1e6
}

/** Resident memory of a process and its descendants, in megabytes (shared pages counted for each). */
export function residentMegabytes(pid: number): number {
  const kilobytes = treeOf(pid).map(each =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1] ?? 0),
  )
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
