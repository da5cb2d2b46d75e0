/** The starter lists of `categories/starter/`: what Préau knows before anybody has imported a list. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { FORMAT_VERSION } from './index/index-format.ts'
import type { ListFile } from './reading/index-lists.ts'

/** The name of the starter lists among the lists. */
export const STARTER_NAME = 'preau'

const folder = new URL('../../categories/starter/', import.meta.url)
const catalogueFile = new URL('../../categories/catalogue.json', import.meta.url)

/** The files, in alphabetical order; each is named after its category. */
export async function starterFiles(): Promise<ListFile[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.txt')).sort()
  return names.map(name => ({
    category: name.slice(0, -'.txt'.length),
    kind: 'domains',
    file: fileURLToPath(new URL(name, folder)),
  }))
}

/** Changes with the starter lists, the catalogue and the format of the index: the index must then be built again. */
export async function starterDigest(): Promise<string> {
  const hash = createHash('sha256').update(`${FORMAT_VERSION}\n`)
  hash.update(await readFile(catalogueFile))
  for (const { category, file } of await starterFiles()) {
    hash.update(`\n${category}\n`).update(await readFile(file))
  }
  return hash.digest('hex')
}
