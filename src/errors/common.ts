/** Everywhere: what was asked, the configuration, and what may be done. */
import type { ErrorTable } from './table.ts'

export const COMMON_ERRORS = {
  PREAU_USAGE: { status: 400, fr: '{detail}', en: '{detail}' },
  PREAU_INTERNAL: {
    status: 500,
    fr: 'Erreur interne : {detail}',
    en: 'Internal error: {detail}',
  },
  PREAU_CONFIG_UNREADABLE: {
    status: 500,
    fr: 'Le fichier de configuration {file} ne peut pas être lu : {detail}',
    en: 'The configuration file {file} cannot be read: {detail}',
  },
  PREAU_CONFIG_INVALID: {
    status: 500,
    fr: 'Configuration refusée ({file}) : {key} : {detail}',
    en: 'Configuration refused ({file}): {key}: {detail}',
  },
  PREAU_NOT_FOUND: { status: 404, fr: 'Introuvable.', en: 'Not found.' },
  PREAU_FORBIDDEN: { status: 403, fr: 'Action non autorisée.', en: 'Not allowed.' },
  PREAU_TOO_MANY_REQUESTS: {
    status: 429,
    fr: 'Trop de demandes pour le moment. Patientez quelques minutes.',
    en: 'Too many requests for now. Please wait a few minutes.',
  },
  PREAU_INVALID_INPUT: { status: 400, fr: '{field} : {detail}', en: '{field}: {detail}' },
  PREAU_FILE_UNREADABLE: {
    status: 400,
    fr: '{file} ne peut pas être lu : {detail}',
    en: '{file} cannot be read: {detail}',
  },
  PREAU_BAD_REQUEST: {
    status: 400,
    fr: 'La requête n’est pas valide.',
    en: 'The request is not valid.',
  },
  PREAU_OVERLOADED: {
    status: 503,
    fr: 'Le filtre est très occupé. Réessayez dans un instant.',
    en: 'The filter is very busy. Try again in a moment.',
  },
  PREAU_FOREIGN_FOLDER: {
    status: 403,
    fr: '{folder} appartient à un autre utilisateur, qui ne pourrait pas lire ce que root y écrit. Lancez la commande sous son compte : runuser -u "$(id -nu {owner})" -- …',
    en: '{folder} belongs to another user, who could not read what root writes there. Run the command as that user: runuser -u "$(id -nu {owner})" -- …',
  },
} as const satisfies ErrorTable
