/** Exchanges that fail or are refused by their form: what the metrics count by code. */
import type { ErrorTable } from './table.ts'

export const PROXY_ERRORS = {
  PREAU_BAD_TARGET: {
    status: 400,
    fr: 'L’adresse demandée n’est pas valide.',
    en: 'The requested target is not valid.',
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
  PREAU_PARENT_DOWN: {
    status: 502,
    fr: 'Le chemin vers Internet est interrompu : aucun proxy parent ne répond au filtre.',
    en: 'The way to the Internet is interrupted: no parent proxy answers the filter.',
  },
  PREAU_PARENT_CREDENTIALS: {
    status: 502,
    fr: 'Le chemin vers Internet est interrompu : le proxy parent refuse les identifiants du filtre.',
    en: 'The way to the Internet is interrupted: the parent proxy refuses the credentials of the filter.',
  },
  PREAU_PARENT_REFUSED: {
    status: 502,
    fr: 'Le proxy parent, au-dessus du filtre, n’ouvre pas {host}.',
    en: 'The parent proxy, above the filter, does not open {host}.',
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
  PREAU_URL_TOO_LONG: {
    status: 414,
    fr: 'Cette adresse est trop longue.',
    en: 'This address is too long.',
  },
  PREAU_REQUEST_TIMEOUT: {
    status: 408,
    fr: 'La requête n’est pas arrivée à temps.',
    en: 'The request did not arrive in time.',
  },
  PREAU_HEAD_TOO_LARGE: {
    status: 431,
    fr: 'L’en-tête de cette requête est trop grand.',
    en: 'The head of this request is too large.',
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
  PREAU_NOT_WEBSOCKET: {
    status: 400,
    fr: 'Par ici ne passe qu’un WebSocket : une poignée de main complète, puis des trames.',
    en: 'Only a WebSocket passes here: a whole handshake, then frames.',
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
} as const satisfies ErrorTable
