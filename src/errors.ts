/**
 * Every failure that Préau names: its HTTP status and what a person reads. Code compares codes, never messages.
 * French comes first for people; the English text is the `message` seen in logs.
 */
export const ERRORS = {
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
  PREAU_STORE_DAMAGED: {
    status: 503,
    fr: 'La base {file} est endommagée ou n’est pas une base de Préau ({detail}). Rien n’a été modifié. Remettez une sauvegarde à sa place, ou déplacez ce fichier pour repartir d’une base vide.',
    en: 'The database {file} is damaged or is not one of Préau ({detail}). Nothing was changed. Put a backup in its place, or move the file away to start from an empty one.',
  },
  PREAU_STORE_UNREADABLE: {
    status: 503,
    fr: 'La base {file} ne peut pas être ouverte ({detail}). Vérifiez les droits du dossier et du fichier.',
    en: 'The database {file} cannot be opened ({detail}). Check the permissions of the folder and of the file.',
  },
  PREAU_STORE_TOO_NEW: {
    status: 503,
    fr: 'La base {file} vient d’une version plus récente de Préau (schéma {found}, connu : {known}). Mettez Préau à jour.',
    en: 'The database {file} was written by a newer Préau (schema {found}, known: {known}). Update Préau.',
  },
  PREAU_STORE_UNAVAILABLE: {
    status: 503,
    fr: 'L’enregistrement est impossible pour le moment ({detail}). Réessayez dans un instant.',
    en: 'The store is unavailable ({detail}). Try again in a moment.',
  },
  PREAU_STORE_UNSUPPORTED: {
    status: 500,
    fr: 'Ce n’est pas l’adresse d’une base : {url}. Valeurs admises : {forms}.',
    en: 'This is not the address of a store: {url}. Allowed: {forms}.',
  },
  PREAU_STORE_EMPTY: {
    status: 503,
    fr: 'La base est vide ({detail}). Rien n’a été modifié.',
    en: 'The store is empty ({detail}). Nothing was changed.',
  },
  PREAU_FOREIGN_FOLDER: {
    status: 403,
    fr: '{folder} appartient à un autre utilisateur, qui ne pourrait pas lire ce que root y écrit. Lancez la commande sous son compte : runuser -u "$(id -nu {owner})" -- …',
    en: '{folder} belongs to another user, who could not read what root writes there. Run the command as that user: runuser -u "$(id -nu {owner})" -- …',
  },
  PREAU_FILE_NOT_SHARED: {
    status: 503,
    fr: 'Le fichier {name} n’est pas dans la base commune.',
    en: 'The file {name} is not in the shared store.',
  },
  PREAU_STORE_FULL: {
    status: 507,
    fr: 'La base commune n’a pas assez de mémoire pour {name} : il en faut {needed} Mo, il en reste {left} Mo. Augmentez « maxmemory » de Redis.',
    en: 'The shared store has not enough memory for {name}: {needed} MB are needed, {left} MB are left. Raise "maxmemory" of Redis.',
  },
  PREAU_SHARED_FILE_DAMAGED: {
    status: 503,
    fr: 'Le fichier {name} est endommagé dans la base commune ({detail}) : il n’est pas utilisé.',
    en: 'The file {name} is damaged in the shared store ({detail}): it is not used.',
  },
  PREAU_STORE_NOT_EMPTY: {
    status: 409,
    fr: '{store} existe déjà ou n’est pas vide : rien n’a été modifié. Donnez une place vide (déplacez le fichier, ou prenez un autre préfixe ou une autre base Redis).',
    en: '{store} is already there or is not empty: nothing was changed. Name an empty place (move the file away, or take another prefix or database of Redis).',
  },
  PREAU_STORE_COPY_DIFFERS: {
    status: 500,
    fr: 'La copie ne dit pas la même chose que l’original ({sentRecords} enregistrements et {sentAudit} lignes de journal envoyés, {foundRecords} et {foundAudit} relus) : elle a été retirée. Recommencez ; si cela se répète, vérifiez le disque et la mémoire.',
    en: 'The copy does not say the same as the original ({sentRecords} records and {sentAudit} audit entries sent, {foundRecords} and {foundAudit} read again): it was removed. Try again; if it happens again, check the disk and the memory.',
  },
  PREAU_CONFLICT: {
    status: 409,
    fr: 'Quelqu’un d’autre vient de modifier le même élément ({kind} {id}). Rien n’a été enregistré : recommencez.',
    en: 'Somebody else has just changed the same item ({kind} {id}). Nothing was saved: try again.',
  },
  PREAU_NOT_FOUND: { status: 404, fr: 'Introuvable.', en: 'Not found.' },
  PREAU_FORBIDDEN: { status: 403, fr: 'Action non autorisée.', en: 'Not allowed.' },
  PREAU_ALREADY_DECIDED: {
    status: 409,
    fr: 'Cette demande a déjà été traitée par {by} : {outcome}, {when}.',
    en: 'This request was already decided by {by}: {outcome}, {when}.',
  },
  PREAU_NEVER_GRANTABLE: {
    status: 403,
    fr: 'La catégorie « {category} » ne peut jamais être débloquée.',
    en: 'The category "{category}" can never be unblocked.',
  },
  PREAU_TOO_MANY_REQUESTS: {
    status: 429,
    fr: 'Trop de demandes pour le moment. Patientez quelques minutes.',
    en: 'Too many requests for now. Please wait a few minutes.',
  },
  PREAU_INVALID_INPUT: { status: 400, fr: '{field} : {detail}', en: '{field}: {detail}' },
  PREAU_POLICY_INVALID: {
    status: 400,
    fr: 'Politique refusée : {path} : {detail}',
    en: 'Policy refused: {path}: {detail}',
  },
  PREAU_FILE_UNREADABLE: {
    status: 400,
    fr: '{file} ne peut pas être lu : {detail}',
    en: '{file} cannot be read: {detail}',
  },
  PREAU_LIST_REFUSED: {
    status: 400,
    fr: 'Liste refusée : {file} : {detail}. Rien n’a été modifié.',
    en: 'List refused: {file}: {detail}. Nothing was changed.',
  },
  PREAU_INDEX_DAMAGED: {
    status: 503,
    fr: 'L’index des catégories {file} est illisible ({detail}). Supprimez ce fichier s’il existe, puis relancez « preau start » : il sera reconstruit.',
    en: 'The category index {file} cannot be used ({detail}). Delete it if it is there, then run "preau start" again: it will be built anew.',
  },
  PREAU_LISTS_ELSEWHERE: {
    status: 503,
    fr: 'Les listes en service manquent sur cette machine et dans la base commune ({name}) : démarrez une machine qui les a encore. S’il n’y en a plus : « preau lists rebuild » continue sans elles.',
    en: 'The lists in force are missing on this machine and in the shared store ({name}): start a machine that still has them. If there is none: "preau lists rebuild" goes on without them.',
  },
  PREAU_LISTS_SLOW: {
    status: 503,
    fr: 'Les listes en service ne sont pas arrivées de la base commune en {minutes} min : vérifiez la liaison, puis recommencez.',
    en: 'The lists in force have not arrived from the shared store within {minutes} min: check the connection, then try again.',
  },
  PREAU_NO_PREVIOUS_LISTS: {
    status: 409,
    fr: 'Il n’y a pas de version précédente des listes.',
    en: 'There is no previous version of the lists.',
  },
  PREAU_NO_CANDIDATE: {
    status: 409,
    fr: 'Aucune mise à jour des listes n’attend.',
    en: 'No update of the lists is waiting.',
  },
  PREAU_CANDIDATE_STALE: {
    status: 409,
    fr: 'Les listes ont changé depuis que cette mise à jour a été préparée : relancez-la.',
    en: 'The lists have changed since this update was prepared: fetch it again.',
  },
  PREAU_DOWNLOAD_FAILED: {
    status: 502,
    fr: 'Téléchargement impossible de {url} : {detail}',
    en: 'Cannot download {url}: {detail}',
  },
  PREAU_FETCH_ELSEWHERE: {
    status: 409,
    fr: 'La liste « {name} » est déjà en cours de mise à jour ({machine}).',
    en: 'The list "{name}" is being updated already ({machine}).',
  },
  PREAU_CA_UNREADABLE: {
    status: 503,
    fr: 'L’autorité de certification {file} est illisible ({detail}).',
    en: 'The certification authority {file} cannot be used ({detail}).',
  },
  PREAU_CA_ELSEWHERE: {
    status: 503,
    fr: 'Cette machine n’a pas l’autorité de certification de la ville (empreinte {recorded}) : copiez le dossier {folder} depuis la première machine.',
    en: 'This machine lacks the certification authority of the city (fingerprint {recorded}): copy the folder {folder} from the first machine.',
  },
  PREAU_CA_DIFFERS: {
    status: 503,
    fr: 'L’autorité de certification de {folder} (empreinte {found}) n’est pas celle de la ville (empreinte {recorded}) : remplacez ce dossier par celui de la première machine. Si elle doit la remplacer partout : « preau ca record ».',
    en: 'The certification authority in {folder} (fingerprint {found}) is not that of the city (fingerprint {recorded}): replace this folder by that of the first machine. If it is to replace it everywhere: "preau ca record".',
  },
  PREAU_BAD_TARGET: {
    status: 400,
    fr: 'L’adresse demandée n’est pas valide.',
    en: 'The requested target is not valid.',
  },
  PREAU_BAD_REQUEST: {
    status: 400,
    fr: 'La requête n’est pas valide.',
    en: 'The request is not valid.',
  },
  PREAU_EXPECTATION_FAILED: {
    status: 417,
    fr: 'La requête attend ce que le filtre ne peut pas promettre (champ Expect).',
    en: 'The request expects what the filter cannot promise (field Expect).',
  },
  PREAU_PORT_REFUSED: {
    status: 403,
    fr: 'Le port {port} n’est pas autorisé.',
    en: 'Port {port} is not allowed.',
  },
  PREAU_ADDRESS_NOT_PUBLIC: {
    status: 403,
    fr: '{host} mène à une adresse interne, qui n’est pas accessible d’ici.',
    en: '{host} leads to an address that is not public, and cannot be reached from here.',
  },
  PREAU_NAME_NOT_FOUND: {
    status: 502,
    fr: 'Le site {host} n’existe pas, ou son nom ne peut pas être résolu.',
    en: 'The site {host} does not exist, or its name cannot be resolved.',
  },
  PREAU_UNREACHABLE: {
    status: 502,
    fr: 'Le site {host} ne répond pas.',
    en: 'The site {host} cannot be reached.',
  },
  PREAU_BAD_ANSWER: {
    status: 502,
    fr: 'La réponse du site {host} n’est pas valide.',
    en: 'The answer of {host} is not valid.',
  },
  PREAU_DIAL_TIMEOUT: {
    status: 504,
    fr: 'Le site {host} a mis trop de temps à répondre.',
    en: 'The site {host} took too long to answer.',
  },
  PREAU_OVERLOADED: {
    status: 503,
    fr: 'Le filtre est très occupé. Réessayez dans un instant.',
    en: 'The filter is very busy. Try again in a moment.',
  },
  PREAU_URL_TOO_LONG: {
    status: 414,
    fr: 'Cette adresse est trop longue.',
    en: 'This address is too long.',
  },
  PREAU_TOO_MANY_FIELDS: {
    status: 431,
    fr: 'Cette requête a trop de champs.',
    en: 'This request has too many fields.',
  },
  PREAU_NOT_TLS: {
    status: 403,
    fr: 'Ce tunnel ne transporte pas de TLS : le filtre ne peut pas le vérifier.',
    en: 'This tunnel does not carry TLS: the filter cannot check it.',
  },
  PREAU_HELLO_REFUSED: {
    status: 400,
    fr: 'Le début de cette connexion TLS est incompréhensible ou arrive trop tard.',
    en: 'The start of this TLS connection cannot be understood or comes too late.',
  },
  PREAU_CERTIFICATE_REFUSED: {
    status: 403,
    fr: 'Ce poste ne connaît pas le certificat de la ville : il n’a pas pu voir la page de blocage.',
    en: 'This PC does not know the certificate of the city: it could not see the block page.',
  },
  PREAU_SIGN_IN_REFUSED: {
    status: 401,
    fr: 'Identifiant ou mot de passe incorrect.',
    en: 'Wrong user name or password.',
  },
  PREAU_SIGN_IN_LOCKED: {
    status: 429,
    fr: 'Trop d’essais depuis ce poste. Réessayez dans {minutes} min.',
    en: 'Too many attempts from this computer. Try again in {minutes} min.',
  },
  PREAU_SIGN_IN_NEEDED: {
    status: 401,
    fr: 'Votre session est terminée. Connectez-vous de nouveau.',
    en: 'Your session has ended. Sign in again.',
  },
  PREAU_FORM_EXPIRED: {
    status: 403,
    fr: 'Ce formulaire n’est plus valable, ou il ne vient pas de cette page. Rechargez la page et recommencez.',
    en: 'This form is no longer valid, or does not come from this page. Reload the page and try again.',
  },
  PREAU_MEDIA_TYPE: {
    status: 415,
    fr: 'Ce type de contenu n’est pas accepté.',
    en: 'This type of content is not accepted.',
  },
  PREAU_TOO_LARGE: {
    status: 413,
    fr: 'Le formulaire envoyé est trop grand.',
    en: 'The form that was sent is too large.',
  },
  PREAU_SETUP_DEAD: {
    status: 410,
    fr: 'Ce lien a déjà servi ou n’est plus valable. Connectez-vous, ou relancez « npm start » si aucun compte n’existe encore.',
    en: 'This link was already used or is no longer valid. Sign in, or run "npm start" again if there is no account yet.',
  },
  PREAU_USER_NAME: {
    status: 400,
    fr: 'L’identifiant commence par une lettre ou un chiffre et compte 64 caractères au plus (lettres, chiffres, espace, point, @, tiret, apostrophe).',
    en: 'A user name starts with a letter or a digit and has at most 64 characters (letters, digits, space, dot, @, hyphen, apostrophe).',
  },
  PREAU_PASSWORD_LENGTH: {
    status: 400,
    fr: 'Le mot de passe doit compter de {min} à {max} caractères.',
    en: 'A password must have {min} to {max} characters.',
  },
  PREAU_PASSWORD_WRONG: {
    status: 403,
    fr: 'Le mot de passe actuel est incorrect.',
    en: 'The current password is wrong.',
  },
  PREAU_USER_EXISTS: {
    status: 409,
    fr: 'Le compte « {name} » existe déjà.',
    en: 'The account "{name}" already exists.',
  },
  PREAU_USER_UNKNOWN: {
    status: 404,
    fr: 'Le compte « {name} » n’existe pas.',
    en: 'There is no account "{name}".',
  },
  PREAU_LAST_DSI: {
    status: 409,
    fr: 'C’est le dernier compte qui peut décider : il doit rester actif, avec le rôle DSI.',
    en: 'This is the last account that can decide: it must stay enabled, with the role "dsi".',
  },
  PREAU_UNDO_TOO_LATE: {
    status: 409,
    fr: 'Il est trop tard pour annuler cette décision.',
    en: 'It is too late to undo this decision.',
  },
} as const satisfies Record<string, { status: number; fr: string; en: string }>

export type ErrorCode = keyof typeof ERRORS
/** A parameter in words of its own. */
export type Words = Readonly<Record<'fr' | 'en', string>>
type Params = Readonly<Record<string, string | number | Words>>

function fill(template: string, params: Params, locale: 'fr' | 'en'): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name] ?? whole
    return typeof value === 'object' ? value[locale] : String(value)
  })
}

/** A failure with a code of the table above. `message` is English, for logs; `text` is what a person reads. */
export class PreauError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly params: Params

  constructor(code: ErrorCode, params: Params = {}, options?: ErrorOptions) {
    super(fill(ERRORS[code].en, params, 'en'), options)
    this.name = 'PreauError'
    this.code = code
    this.status = ERRORS[code].status
    this.params = params
  }

  text(locale: 'fr' | 'en'): string {
    return fill(ERRORS[this.code][locale], this.params, locale)
  }
}

/** The short cause of an unknown error, for the `detail` of a `PreauError`. */
export function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
