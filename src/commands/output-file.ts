/** A file that a command writes for somebody: whole or not at all, and never over what Préau itself keeps. */
import { randomUUID } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'

/** Throws PREAU_FILE_UNWRITABLE. */
export async function writeOutput(file: string, text: string, { dataDir }: Config): Promise<void> {
  // `ca export data/ca/ca.key` would be the end of the key that every PC trusts.
  const way = relative(dataDir, resolve(file))
  if (way !== '' && !way.startsWith('..')) throw unwritable(file, OWN)
  try {
    const found = await stat(file).catch(() => undefined)
    // A pipe or a terminal has no name to be put in its place.
    if (found !== undefined && !found.isFile()) await writeFile(file, text)
    else await replace(file, text)
  } catch (error) {
    throw unwritable(file, detailOf(error))
  }
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}`)
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
}

const OWN = {
  fr: 'ce dossier est celui où Préau garde ses données, choisissez-en un autre',
  en: 'Préau keeps its own data in this folder, choose another one',
}

const unwritable = (file: string, detail: ReturnType<typeof detailOf>): PreauError =>
  new PreauError('PREAU_FILE_UNWRITABLE', { file, detail })
