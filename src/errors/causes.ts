/**
 * Causes that other programs name in English (the system, SQLite, Redis, TLS, JSON), and our own where they come from deep
 * inside: as people read them. What is not known here stays in its own words, which can be looked up.
 */
import type { Words } from './table.ts'

/** `$1` … in a text are the groups of its pattern. */
const CAUSES: readonly (readonly [pattern: RegExp, fr: string, en: string])[] = [
  // The system (errno.h), as Node writes it.
  [/^EACCES\b.*/, 'accès refusé', 'permission denied'],
  [/^EPERM\b.*/, 'opération non permise', 'operation not permitted'],
  [/^EEXIST\b.*/, 'un fichier porte déjà ce nom', 'there is a file of this name'],
  [/^EISDIR\b.*/, 'c’est un dossier', 'it is a folder'],
  [/^ENOENT\b.*/, 'fichier ou dossier introuvable', 'no such file or folder'],
  [/^ENOTDIR\b.*/, 'un élément du chemin n’est pas un dossier', 'a part of the path is no folder'],
  [/^ENOSPC\b.*/, 'disque plein', 'the disk is full'],
  [/^EDQUOT\b.*/, 'quota de disque dépassé', 'the disk quota is exceeded'],
  [/^EROFS\b.*/, 'support en lecture seule', 'read-only file system'],
  [/^EIO\b.*/, 'erreur du disque', 'error of the disk'],
  [/^EBUSY\b.*/, 'occupé par un autre programme', 'in use by another program'],
  [/^E[MN]FILE\b.*/, 'trop de fichiers ouverts', 'too many open files'],
  [/^ELOOP\b.*/, 'trop de liens symboliques', 'too many symbolic links'],
  [/^ENAMETOOLONG\b.*/, 'nom trop long', 'the name is too long'],
  [/^EXDEV\b.*/, 'sur un autre disque', 'on another disk'],
  [/.*\bECONNREFUSED\b ?(.*)/, 'connexion refusée $1', 'connection refused $1'],
  [
    /.*\b(?:ECONNRESET|EPIPE)\b.*|^socket hang up$/,
    'connexion interrompue',
    'the connection broke',
  ],
  [/.*\bETIMEDOUT\b ?(.*)/, 'aucune réponse $1', 'no answer $1'],
  [/.*\b(?:EHOSTUNREACH|ENETUNREACH)\b ?(.*)/, 'machine injoignable $1', 'cannot be reached $1'],
  [/.*\b(?:ENOTFOUND|EAI_AGAIN)\b ?(.*)/, 'nom introuvable $1', 'name not found $1'],
  [
    /.*\bEADDRNOTAVAIL\b:?(?: address not available)? ?(.*)/,
    'adresse absente de cette machine $1',
    'not an address of this machine $1',
  ],
  [
    /^listen EACCES\b.* (\S+)$|^bind EACCES\b.* (\S+)$/,
    'accès refusé $1$2',
    'permission denied $1$2',
  ],
  [/^more than (\d+) MB$/, 'plus de $1 Mo', 'more than $1 MB'],
  // JSON: its own words may repeat what stands in the file.
  [
    /.* in JSON at position \d+ \(line (\d+) column (\d+)\)$/,
    'ce n’est pas du JSON valable (ligne $1, colonne $2)',
    'not valid JSON (line $1, column $2)',
  ],
  [
    /^Unexpected end of JSON input$|.* is not valid JSON$/s,
    'ce n’est pas du JSON valable',
    'not valid JSON',
  ],
  // SQLite.
  [/^database disk image is malformed\b.*/s, 'son contenu est abîmé', 'its content is damaged'],
  [/^file is not a database$/, 'ce n’est pas une base SQLite', 'it is no SQLite database'],
  [/^database is locked$/, 'occupée par un autre programme', 'in use by another program'],
  [/^database or disk is full$/, 'disque plein', 'the disk is full'],
  [
    /^unable to open database file$/,
    'le fichier ne peut pas être ouvert',
    'the file cannot be opened',
  ],
  [/^attempt to write a readonly database$/, 'fichier en lecture seule', 'the file is read-only'],
  [/^disk I\/O error$/, 'erreur du disque', 'error of the disk'],
  [/^out of memory$/, 'mémoire épuisée', 'out of memory'],
  [
    /^this Node\.js has SQLite (.*); (.*) is needed$/,
    'ce Node.js a SQLite $1, il faut $2',
    'this Node.js has SQLite $1, $2 is needed',
  ],
  [
    /^(.*) belongs to a database that is not there; move it away too$/,
    '$1 est le journal d’une base qui n’est plus là : déplacez-le aussi',
    '$1 belongs to a database that is not there: move it away too',
  ],
  [/^not a regular file$/, 'ce n’est pas un fichier', 'it is no file'],
  [/^empty file$/, 'fichier vide', 'it is empty'],
  [
    /^an SQLite file of another program$/,
    'un fichier SQLite d’un autre programme',
    'an SQLite file of another program',
  ],
  [
    /^this file system cannot hold a write-ahead log; use a local disk$/,
    'ce système de fichiers ne convient pas à SQLite (journal WAL) : prenez un disque local',
    'this file system cannot hold a write-ahead log: use a local disk',
  ],
  // Redis and the way to it.
  [/^NOAUTH\b.*/, 'Redis demande un mot de passe', 'Redis asks for a password'],
  [
    /^(?:WRONGPASS|ERR invalid password)\b.*/,
    'Redis refuse le mot de passe',
    'Redis refuses the password',
  ],
  [/^NOPERM\b ?(.*)/, 'Redis ne donne pas ce droit ($1)', 'Redis does not give this right ($1)'],
  [/^LOADING\b.*/, 'Redis charge ses données', 'Redis loads its data'],
  [/^OOM\b.*/, 'Redis n’a plus de mémoire', 'Redis has no memory left'],
  [
    /^READONLY\b.*|^this Redis is a replica$/,
    'ce Redis est une réplique',
    'this Redis is a replica',
  ],
  [/^NOREPLICAS\b.*/, 'Redis a perdu ses répliques', 'Redis has lost its replicas'],
  [/^MISCONF\b.*/, 'Redis ne peut pas écrire sur son disque', 'Redis cannot write to its disk'],
  [/^CLUSTERDOWN\b.*/, 'la grappe Redis est arrêtée', 'the Redis cluster is down'],
  [/^(?:still connecting)$/, 'connexion en cours', 'still connecting'],
  [
    /^(?:Connection is closed\.|the connection was closed|the connection to Redis was lost)$/,
    'connexion fermée',
    'the connection was closed',
  ],
  [/^too many calls wait$/, 'trop d’appels attendent', 'too many calls wait'],
  [
    /^(\d+) of (\d+) replicas have acknowledged$/,
    'répliques qui ont confirmé : $1 sur $2',
    '$1 of $2 replicas have acknowledged',
  ],
  [/^the store is closed$/, 'elle est fermée', 'it is closed'],
  [/^the store thread has ended$/, 'son processus s’est arrêté', 'its thread has ended'],
  [
    /^no answer(?: from Redis)? within (\d+) ms$/,
    'aucune réponse en $1 ms',
    'no answer within $1 ms',
  ],
  [
    /^no node of the cluster answers$/,
    'aucun nœud de la grappe ne répond',
    'no node of the cluster answers',
  ],
  [
    /^no node of the cluster has slot (\d+)$/,
    'aucun nœud de la grappe n’a la case $1',
    'no node of the cluster has slot $1',
  ],
  [
    /^no sentinel answers \(none knows this master\)$/,
    'aucune sentinelle ne connaît ce maître',
    'no sentinel knows this master',
  ],
  [
    /^no sentinel answers \((.*)\)$/,
    'aucune sentinelle ne répond ($1)',
    'no sentinel answers ($1)',
  ],
  [
    /^the data in Redis are not any more those of this store$/,
    'les données de Redis ne sont plus celles de cette base',
    'the data in Redis are not those of this store any more',
  ],
  // TLS, keys and certificates.
  [
    /.*\bself[- ]signed certificate\b.*/,
    'certificat signé par une autorité inconnue',
    'the certificate is signed by an unknown authority',
  ],
  [
    /.*\bunable to (?:verify|get)\b.*certificate.*/,
    'certificat signé par une autorité inconnue',
    'the certificate is signed by an unknown authority',
  ],
  [/.*\bcertificate has expired\b.*/, 'certificat expiré', 'the certificate has expired'],
  [
    /.*\b(?:DECODER routines|PEM routines|asn1|ASN1)\b.*/i,
    'ce n’est ni une clé ni un certificat PEM',
    'it is no PEM key or certificate',
  ],
  [/^an ECDSA P-256 key is needed$/, 'il faut une clé ECDSA P-256', 'an ECDSA P-256 key is needed'],
  [
    /^not the certificate of an authority$/,
    'ce n’est pas le certificat d’une autorité',
    'not the certificate of an authority',
  ],
  [/^it does not match ca\.key$/, 'il ne correspond pas à ca.key', 'it does not match ca.key'],
  [
    /^missing, while (.*) is there; put its key back$/,
    'elle manque, alors que $1 est là : remettez sa clé',
    'missing, while $1 is there: put its key back',
  ],
  // The processes of Préau.
  [
    /^(proxy|admin) did not start within (\d+) s$/,
    'le processus « $1 » n’a pas démarré en $2 s',
    'the process "$1" did not start within $2 s',
  ],
  [
    /^(proxy|admin) ended at start \((.*)\)$/,
    'le processus « $1 » s’est arrêté pendant son démarrage ($2)',
    'the process "$1" ended at its start ($2)',
  ],
  [/^it is being stopped$/, 'arrêt en cours', 'it is being stopped'],
  // Compressed files.
  [
    /^incorrect header check$|^unknown compression method$/,
    'ce n’est pas du gzip',
    'it is not gzip',
  ],
  [
    /^unexpected end of file$|^Unexpected end of data$/,
    'coupé avant la fin',
    'cut off before the end',
  ],
  [
    /^invalid (?:block type|distance.*|stored block.*|code lengths.*|literal.*)$|^incorrect (?:data|length) check$/,
    'contenu abîmé',
    'damaged content',
  ],
  [/^Invalid tar header.*/, 'ce n’est pas une archive tar', 'it is no tar archive'],
]

/** A cause in both languages; as it is in both where it is not known. */
export function wordsOfCause(cause: string): Words {
  for (const [pattern, fr, en] of CAUSES)
    if (pattern.test(cause))
      return { fr: cause.replace(pattern, fr).trim(), en: cause.replace(pattern, en).trim() }
  return { fr: cause, en: cause }
}
