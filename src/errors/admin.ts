/** The admin app: decisions, the policy, accounts, forms. */
import type { ErrorTable } from './table.ts'

export const ADMIN_ERRORS = {
  PREAU_ALREADY_DECIDED: {
    status: 409,
    fr: 'Cette demande a déjà été traitée par {by} : {outcome}, {when}.',
    en: 'This request was already decided by {by}: {outcome}, {when}.',
  },
  PREAU_PAGE_CHANGED: {
    status: 409,
    fr: 'La page venait de changer : rien n’a été fait. Regardez-la de nouveau avant de cliquer.',
    en: 'The page had just changed: nothing was done. Look at it again before clicking.',
  },
  PREAU_NEVER_GRANTABLE: {
    status: 403,
    fr: 'La catégorie « {category} » ne peut jamais être débloquée.',
    en: 'The category "{category}" can never be unblocked.',
  },
  PREAU_UNDO_TOO_LATE: {
    status: 409,
    fr: 'Il est trop tard pour annuler cette décision.',
    en: 'It is too late to undo this decision.',
  },
  PREAU_POLICY_INVALID: {
    status: 400,
    fr: 'Politique refusée : {path} : {detail}',
    en: 'Policy refused: {path}: {detail}',
  },
  PREAU_MISDIRECTED: {
    status: 421,
    fr: 'Ce panneau ne répond pas au nom « {host} ». S’il est le sien, ajoutez-le à admin.names dans la configuration.',
    en: 'This panel does not answer to the name "{host}". If it is its own, add it to admin.names in the configuration.',
  },
  PREAU_TLS_NEEDED: {
    status: 403,
    fr: 'Depuis un autre poste, ce panneau ne s’ouvre qu’en https:// : un mot de passe ne voyage pas en clair. Sans certificat de la ville, ouvrez-le sur la machine elle-même, ou derrière un serveur TLS nommé dans admin.trustedProxies.',
    en: 'From another computer this panel opens over https:// only: a password does not travel in the clear. Without a certificate of the city, open it on the machine itself, or behind a TLS server named in admin.trustedProxies.',
  },
  PREAU_POLICY_UNCONFIRMED: {
    status: 409,
    fr: 'Rien n’a été modifié : {count} réseau(x) prennent les postes d’une autre école (lignes « ! » ci-dessus). Corrigez le fichier, ou relancez avec --yes si c’est voulu.',
    en: 'Nothing was changed: {count} network(s) take the PCs of another school (lines "!" above). Correct the file, or run it again with --yes if this is meant.',
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
    fr: 'Ce lien a déjà servi ou n’est plus valable. Connectez-vous, ou relancez « {preau} start » si aucun compte n’existe encore.',
    en: 'This link was already used or is no longer valid. Sign in, or run "{preau} start" again if there is no account yet.',
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
} as const satisfies ErrorTable
