/** The cause of an error as people read it: what is wrong with a file, or with the JSON that stands in it. */
import { causeOf, type Words } from './errors.ts'

const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'accès refusé',
  EADDRNOTAVAIL: 'adresse absente de cette machine',
  EEXIST: 'un fichier porte déjà ce nom',
  EISDIR: 'c’est un dossier',
  ENOENT: 'fichier ou dossier introuvable',
  ENOSPC: 'disque plein',
  ENOTDIR: 'un élément du chemin n’est pas un dossier',
  EPERM: 'opération non permise',
  EROFS: 'support en lecture seule',
}

/** For the `detail` of a `PreauError`; in English alone where the cause is another one. */
export function detailOf(error: unknown): string | Words {
  const en = causeOf(error)
  const known = SYSTEM[(error as NodeJS.ErrnoException).code ?? '']
  if (known !== undefined) return { fr: known, en }
  if (!(error instanceof SyntaxError)) return en
  const [, line, column] = /line (\d+) column (\d+)/.exec(en) ?? []
  const place = line === undefined ? '' : ` (ligne ${line}, colonne ${column})`
  return { fr: `ce n’est pas du JSON valable${place}`, en }
}
