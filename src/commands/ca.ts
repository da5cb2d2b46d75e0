/** `preau ca …`: the certificate (never the key) that the city installs on its PCs, and how a new one takes its place. */
import {
  activateCertificate,
  discardCertificate,
  prepareCertificate,
  rollBackCertificate,
} from '../admin/certificate-acts.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { LANGUAGE_TAG } from '../i18n.ts'
import { withInstalled } from '../install.ts'
import {
  authorityDir,
  followCertificate,
  installAuthority,
  isGone,
  recordAuthority,
} from '../install-authority.ts'
import { CURRENT } from '../policy/document.ts'
import type { CaCertificate, Installation } from '../policy/installation.ts'
import type { Store } from '../store/store.ts'
import { describeCertificate } from '../tls/authority.ts'
import { writeOutput } from './output-file.ts'
import { printable, shorten, table, type Terminal } from './terminal.ts'

/** `isNext`: the one that PCs may install already. */
export async function caExport(
  config: Config,
  { t, print, remark }: Terminal,
  file: string | undefined,
  isNext: boolean,
): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { caPem } = await installAuthority(config, store, Date.now())
    const installation = await read(store)
    const found = isNext ? installation?.caNext : describeCertificate(caPem)
    if (found === undefined) throw new PreauError('PREAU_CA_NO_NEXT')
    if (file === undefined) print(found.pem.trimEnd())
    else {
      await writeOutput(file, found.pem, config)
      print(t('ca.written', { file, fingerprint: found.fingerprint }))
    }
    const policy = await store.get('policy', CURRENT)
    const city = policy?.body.city.name ?? found.cityName
    if (found.cityName !== city) remark(t('ca.renamed', { name: found.cityName, city }))
  })
}

export async function caShow(config: Config, terminal: Terminal, isJson: boolean): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { ca, caNext, caPrevious } = (await read(store)) ?? {}
    if (isJson) {
      terminal.printJson({ inUse: ca ?? null, next: caNext ?? null, previous: caPrevious ?? null })
      return
    }
    const { t, print } = terminal
    if (ca === undefined) {
      print(t('ca.none'))
      return
    }
    const rows = [
      rowOf('inUse', ca, terminal),
      ...(caNext === undefined ? [] : [rowOf('next', caNext, terminal)]),
      ...(caPrevious === undefined ? [] : [rowOf('previous', caPrevious, terminal)]),
    ]
    for (const line of table(rows)) print(line)
  })
}

function rowOf(
  which: 'inUse' | 'next' | 'previous',
  { cityName, notAfter, fingerprint }: CaCertificate,
  { t, locale }: Terminal,
): string[] {
  const until = new Intl.DateTimeFormat(LANGUAGE_TAG[locale], { dateStyle: 'long' }).format(
    notAfter,
  )
  return [t(`ca.is.${which}`), printable(cityName), t('ca.until', { until }), fingerprint]
}

/** A new one in the name of the city. `now`: PCs need not have it first. */
export async function caRenew(config: Config, terminal: Terminal, now: boolean): Promise<void> {
  const { t, print } = terminal
  await withInstalled(config, async ({ store }) => {
    const folder = authorityDir(config)
    const actor = { by: 'cli', now: Date.now() }
    if (isGone(folder)) await installAuthority(config, store, actor.now)
    const { cityName, fingerprint } = await prepareCertificate(store, folder, actor)
    print(t('ca.prepared', { city: cityName, fingerprint }))
    if (now) await putInUse(config, store, await activateCertificate(store, actor), terminal)
    else print(t('ca.preparedNext'))
  })
}

/** Block pages show the new one from now on. */
export async function caActivate(config: Config, terminal: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const actor = { by: 'cli', now: Date.now() }
    await putInUse(config, store, await activateCertificate(store, actor), terminal)
  })
}

export async function caDiscard(config: Config, { t, print }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    await discardCertificate(store, { by: 'cli', now: Date.now() })
    print(t('ca.discarded'))
  })
}

export async function caRollback(config: Config, terminal: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const actor = { by: 'cli', now: Date.now() }
    await putInUse(config, store, await rollBackCertificate(store, actor), terminal)
  })
}

async function putInUse(
  config: Config,
  store: Store,
  installation: Installation,
  { t, print }: Terminal,
): Promise<void> {
  await followCertificate(authorityDir(config), installation)
  const { caPem } = await installAuthority(config, store, Date.now())
  const { cityName, fingerprint } = describeCertificate(caPem)
  print(t('ca.activated', { city: cityName, fingerprint }))
}

/** This machine's CA is the city's from now on, and the others do not start with the one before. */
export async function caRecord(config: Config, { t, print }: Terminal): Promise<void> {
  await withInstalled(config, async ({ store }) => {
    const { fingerprint256 } = await recordAuthority(config, store, Date.now())
    print(t('ca.recorded', { fingerprint: fingerprint256, folder: shorten(authorityDir(config)) }))
  })
}

const read = async (store: Store): Promise<Installation | undefined> =>
  (await store.get('installation', CURRENT))?.body
