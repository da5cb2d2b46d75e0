/** `preau ca export`: the certificate (never the key) that the city installs on its PCs. */
import { writeFile } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { installAuthority } from '../install-authority.ts'
import type { Terminal } from './terminal.ts'

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
