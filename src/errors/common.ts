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
  PREAU_PORT_TAKEN: {
    status: 409,
    fr: 'Le port {port} de {host} est déjà utilisé : un autre Préau tourne-t-il ? Arrêtez-le (« ss -ltnp » le montre), ou changez {key}.port dans la configuration. Rien n’a été créé.',
    en: 'Port {port} of {host} is in use: is another Préau running? Stop it ("ss -ltnp" shows it), or change {key}.port in the configuration. Nothing was made.',
  },
  PREAU_CANNOT_LISTEN: {
    status: 409,
    fr: 'Impossible d’écouter sur {host}, port {port} ({detail}) : vérifiez {key}.host et {key}.port dans la configuration. Rien n’a été créé.',
    en: 'Cannot listen on {host}, port {port} ({detail}): check {key}.host and {key}.port in the configuration. Nothing was made.',
  },
  PREAU_FOLDER_UNUSABLE: {
    status: 500,
    fr: 'Le dossier de données {folder} ne peut pas être créé : {detail}. Vérifiez dataDir dans la configuration, et les droits.',
    en: 'The data folder {folder} cannot be made: {detail}. Check dataDir in the configuration, and the permissions.',
  },
  PREAU_TEXT_ENCODING: {
    status: 400,
    fr: 'le texte n’est pas en UTF-8 : enregistrez-le dans ce codage',
    en: 'the text is not in UTF-8: save it in this encoding',
  },
  PREAU_FILE_UNWRITABLE: {
    status: 400,
    fr: '{file} ne peut pas être écrit : {detail}. Rien n’a été modifié.',
    en: '{file} cannot be written: {detail}. Nothing was changed.',
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
