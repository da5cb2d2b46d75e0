/** CPU, memory and descriptors of a tree of processes, from `/proc`. Threads are in the figures of their process. */
import { readdirSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

function treeOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '),
  )
  return [pid, ...children.filter(child => child !== '').flatMap(child => treeOf(Number(child)))]
}

/** In the order in which they were started: the workers, then the admin process. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text
    .split(' ')
    .map(Number)
    .toSorted((a, b) => a - b)
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** User and system time of a process and its descendants, those that have ended too, in microseconds. */
export function cpuMicros(pid: number): number {
  const ticks = treeOf(pid).map(each => {
    const fields = readFileSync(`/proc/${each}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    // utime, stime, cutime, cstime (proc_pid_stat(5)).
    return sum(fields.slice(11, 15).map(Number))
  })
  return (sum(ticks) / TICKS_PER_SECOND) * 1e6
}

/** Resident memory of a process and its descendants, in kilobytes (shared pages counted for each). */
export function residentKilobytes(pid: number): number {
  return sum(treeOf(pid).map(each => kilobytes(each, 'status', /VmRSS:\s+(\d+)/)))
}

/** The same, each shared page divided by those who share it. */
export function proportionalKilobytes(pid: number): number {
  return sum(treeOf(pid).map(each => kilobytes(each, 'smaps_rollup', /^Pss:\s+(\d+)/m)))
}

function kilobytes(pid: number, file: string, line: RegExp): number {
  return Number(line.exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0)
}

export const residentMegabytes = (pid: number): number => residentKilobytes(pid) / 1024

/** Open descriptors of a process and its descendants. */
export function descriptors(pid: number): number {
  return sum(treeOf(pid).map(each => readdirSync(`/proc/${each}/fd`).length))
}

/** A figure as it stands in a table. */
export const rounded = (value: number, digits = 0): number => Number(value.toFixed(digits))

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** The slope of the straight line nearest to the points (least squares). */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = sum(points.map(({ x }) => x)) / points.length
  const meanY = sum(points.map(({ y }) => y)) / points.length
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2))
  return sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread
}
