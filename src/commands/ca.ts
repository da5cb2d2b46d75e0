/** `preau ca export`: the certificate (never the key) that the city installs on its PCs. `preau ca record`: makes it that of all machines. */
import { writeFile } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { authorityDir, installAuthority, recordAuthority } from '../install-authority.ts'
import { shorten, type Terminal } from './terminal.ts'

export async function caExport(
  config: Config,
  { t, print }: Terminal,
  file: string | undefined,
): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { caPem, fingerprint256 } = await installAuthority(config, store, Date.now())
    if (file === undefined) print(caPem.trimEnd())
    else {
      await writeFile(file, caPem).catch((error: unknown) => {
        throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })
      })
      print(t('ca.written', { file, fingerprint: fingerprint256 }))
    }
  })
}

/** After a renewal: from now on the other machines must have this CA, and do not start with the one before. */
export async function caRecord(config: Config, { t, print }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { fingerprint256 } = await recordAuthority(config, store, Date.now())
    print(t('ca.recorded', { fingerprint: fingerprint256, folder: shorten(authorityDir(config)) }))
  })
}
