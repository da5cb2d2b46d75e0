/** The store: the embedded one, the one of several machines, and copies of both. */
import type { ErrorTable } from './table.ts'

export const STORE_ERRORS = {
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
} as const satisfies ErrorTable
