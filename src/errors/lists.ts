/** The lists of categories: reading, fetching, putting in force. */
import type { ErrorTable } from './table.ts'

export const LISTS_ERRORS = {
  PREAU_LIST_REFUSED: {
    status: 400,
    fr: 'Liste refusée : {file} : {detail}. Rien n’a été modifié.',
    en: 'List refused: {file}: {detail}. Nothing was changed.',
  },
  PREAU_INDEX_DAMAGED: {
    status: 503,
    fr: 'L’index des catégories {file} est illisible ({detail}). Supprimez ce fichier s’il existe, puis relancez « {preau} start » : il sera reconstruit.',
    en: 'The category index {file} cannot be used ({detail}). Delete it if it is there, then run "{preau} start" again: it will be built anew.',
  },
  PREAU_LISTS_ELSEWHERE: {
    status: 503,
    fr: 'Les listes en service manquent sur cette machine et dans la base commune ({name}) : démarrez une machine qui les a encore. S’il n’y en a plus : « {preau} lists rebuild » continue sans elles.',
    en: 'The lists in force are missing on this machine and in the shared store ({name}): start a machine that still has them. If there is none: "{preau} lists rebuild" goes on without them.',
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
} as const satisfies ErrorTable
