/** The data folder before it is known whether the start succeeds: one that was made for it goes with it. */
import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'

export interface BorrowedFolder {
  /** Removes what was made, as far as nobody has put anything there. Never rejects. */
  giveBack(): Promise<void>
}

/** Makes the folder where it is missing, closed to others. Throws PREAU_FOLDER_UNUSABLE. */
export async function borrowFolder(folder: string): Promise<BorrowedFolder> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new PreauError('PREAU_FOLDER_UNUSABLE', { folder, detail: detailOf(error) })
  })
  return {
    async giveBack() {
      if (first === undefined) return
      for (let made = folder; made.startsWith(first); made = dirname(made)) {
        // Not recursive: what stands in it is somebody's, perhaps of another start at the same moment.
        const isGone = await rmdir(made).then(
          () => true,
          () => false,
        )
        if (!isGone) return
      }
    },
  }
}
