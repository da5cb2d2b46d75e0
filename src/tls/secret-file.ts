/** Files of the CA: whole or not at all, with their final rights from the first byte. */
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'

/** Never over another one: when `file` exists already, it stays and this one is given up: read it again to know which it is. */
export async function createFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomUUID()}.new`
  try {
    await writeWhole(temporary, text, mode)
    await linkIfAbsent(temporary, file)
    await syncFolder(dirname(file))
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/** Puts a whole file in the place of another one, at once for whoever opens it. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomUUID()}.new`
  try {
    await writeWhole(temporary, text, mode)
    await fs.rename(temporary, file)
    await syncFolder(dirname(file))
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const handle = await fs.open(file, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function linkIfAbsent(from: string, to: string): Promise<void> {
  try {
    await fs.link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

// The name must survive a power cut too: browsers may trust this certificate a minute from now.
async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Throws what is not "no such file": a file that cannot be looked at is not a missing one. */
export async function isPresent(file: string): Promise<boolean> {
  try {
    await fs.lstat(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
