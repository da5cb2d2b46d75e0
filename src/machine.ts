/** What this installation is called among those that share a store. */
import { hostname } from 'node:os'

const MAX_LENGTH = 200

/** The machine and the folder: two installations on one machine are two. */
export function machineName({ dataDir }: { readonly dataDir: string }): string {
  return `${hostname()}:${dataDir}`.slice(0, MAX_LENGTH)
}
