/** The certification authority of the city. */
import type { ErrorTable } from './table.ts'

export const AUTHORITY_ERRORS = {
  PREAU_CA_UNREADABLE: {
    status: 503,
    fr: 'L’autorité de certification {file} est illisible ({detail}).',
    en: 'The certification authority {file} cannot be used ({detail}).',
  },
  PREAU_CA_ENDED: {
    status: 503,
    fr: 'elle a expiré le {day} : « {preau} ca renew » en fait une nouvelle, que chaque PC devra installer',
    en: 'it expired on {day}: "{preau} ca renew" makes a new one, which each PC will have to install',
  },
  PREAU_CA_NO_NEXT: {
    status: 409,
    fr: 'Aucun nouveau certificat n’attend : « {preau} ca renew » en prépare un.',
    en: 'No new certificate is waiting: "{preau} ca renew" prepares one.',
  },
  PREAU_CA_NO_PREVIOUS: {
    status: 409,
    fr: 'Il n’y a pas de certificat précédent qui serve encore.',
    en: 'There is no certificate before this one that can still serve.',
  },
  PREAU_CA_ELSEWHERE: {
    status: 503,
    fr: 'Cette machine n’a pas l’autorité de certification de la ville (empreinte {recorded}) : copiez le dossier {folder} depuis la première machine.',
    en: 'This machine lacks the certification authority of the city (fingerprint {recorded}): copy the folder {folder} from the first machine.',
  },
  PREAU_CA_LOST: {
    status: 503,
    fr: 'L’autorité de certification de la ville (empreinte {recorded}) n’est plus dans {folder} : remettez ce dossier depuis une sauvegarde. Pour en faire une nouvelle, que chaque PC devra installer : « {preau} ca record ».',
    en: 'The certification authority of the city (fingerprint {recorded}) is no longer in {folder}: put this folder back from a backup. To make a new one, which each PC will have to install: "{preau} ca record".',
  },
  PREAU_CA_DIFFERS: {
    status: 503,
    fr: 'L’autorité de certification de {folder} (empreinte {found}) n’est pas celle de la ville (empreinte {recorded}) : remplacez ce dossier par celui de la première machine. Si elle doit la remplacer partout : « {preau} ca record ».',
    en: 'The certification authority in {folder} (fingerprint {found}) is not that of the city (fingerprint {recorded}): replace this folder by that of the first machine. If it is to replace it everywhere: "{preau} ca record".',
  },
} as const satisfies ErrorTable
