/** Root may write anywhere, also where the service, which has a user of its own, could not read it afterwards. */
import { stat } from 'node:fs/promises'
import { listsFolder } from './categories/list-folder.ts'
import { PreauError } from './errors.ts'

/** Throws PREAU_FOREIGN_FOLDER when `user` (the number of its account) is root and the lists are another user's. */
export async function refuseForeignFolder(
  dataDir: string,
  user = process.geteuid?.(),
): Promise<void> {
  if (user !== 0) return
  const folder = listsFolder(dataDir)
  const { uid } = await stat(folder).catch(() => ({ uid: user }))
  if (uid !== user) throw new PreauError('PREAU_FOREIGN_FOLDER', { folder, owner: uid })
}
