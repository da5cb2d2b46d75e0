/** Deletes access-log files that are older than the charter allows. What is not ours in the folder is left alone. */
import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'

const DAY_MS = 86_400_000
// By its beginning: what a rotation makes of it (`….jsonl.1`, `….jsonl.2.gz`, `…-20261124.jsonl`) holds the same lines of
// the same persons, and must end with them.
const FILE = /^access-(\d{4}-\d{2}-\d{2})(?=[.-])/

/** The instant (epoch ms) at which the day of a log file begins, as UTC reckons; undefined for other files. */
export function dayOfFile(name: string): number | undefined {
  const date = FILE.exec(name)?.[1]
  return date === undefined ? undefined : Date.parse(date)
}

/** Deletes the files of days that ended `retentionDays` ago or more; returns their names. */
export async function deleteExpiredLogs(
  dir: string,
  retentionDays: number,
  now: number,
): Promise<string[]> {
  const names = await readdir(dir).catch(() => [])
  const expired = names.filter(name => {
    const day = dayOfFile(name)
    return day !== undefined && now - day >= (retentionDays + 1) * DAY_MS
  })
  await Promise.all(expired.map(name => unlink(join(dir, name)).catch(() => undefined)))
  return expired
}
