/** `preau ca export`: the certificate (never the key) that the city installs on its PCs. `preau ca record`: makes it that of all machines. */
import type { Config } from '../config.ts'
import { withInstalled } from '../install.ts'
import { authorityDir, installAuthority, recordAuthority } from '../install-authority.ts'
import { writeOutput } from './output-file.ts'
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
      await writeOutput(file, caPem, config)
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
