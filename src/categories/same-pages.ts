/** Whether two versions of a list hold the same pages and expressions, which a comparison of hosts does not see. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ListInfo } from '../policy/lists.ts'
import { filesOf } from './list-folder.ts'
import type { ListFile } from './reading/index-lists.ts'

/** Compares the kept texts byte for byte. A text that cannot be read is not the same. */
export async function haveSamePages(dataDir: string, a: ListInfo, b: ListInfo): Promise<boolean> {
  const [left, right] = await Promise.all([pagesOf(dataDir, a), pagesOf(dataDir, b)])
  if (left.length !== right.length) return false
  for (const file of left) {
    const other = right.find(one => basename(one) === basename(file))
    if (other === undefined || !(await areEqual(file, other))) return false
  }
  return true
}

const isPages = ({ kind }: ListFile): boolean => kind !== 'domains'
const read = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined)

async function pagesOf(dataDir: string, list: ListInfo): Promise<string[]> {
  return (await filesOf(dataDir, list)).filter(isPages).map(({ file }) => file)
}

async function areEqual(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([read(a), read(b)])
  return left !== undefined && right !== undefined && left.equals(right)
}
