/** Who may use the admin app. A role is for admins; what pupils and teachers may reach is a profile. */

/** `dsi` decides; `reader` only looks. */
export const ROLES = ['dsi', 'reader'] as const
export type Role = (typeof ROLES)[number]

export interface User {
  readonly name: string
  readonly role: Role
  /** `scrypt$N$r$p$salt$hash`, base64: the parameters are stored so that they can grow. */
  readonly password: string
  readonly at: number
  readonly disabled?: boolean
}

/** Stored under the SHA-256 of the cookie's token, so that a copy of the database opens no session. Epoch ms. */
export interface Session {
  readonly user: string
  readonly csrf: string
  readonly at: number
  readonly until: number
  /** What is left of the password that opened it: with another password the session is over, whoever was faster. */
  readonly seal: string
  /** Opened where the browser sees https: it comes in the cookie that only this host can set there, or not at all. */
  readonly isSecure?: true
}

/** A one-time link that creates the first account: the SHA-256 of its token. */
export interface SetupLink {
  readonly tokenHash: string
  readonly at: number
}

/** Every machine that is started shows one of its own: the first that is used ends them all. */
export interface SetupLinks {
  readonly links: readonly SetupLink[]
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@'-]{0,63}$/u
export const MIN_PASSWORD = 12
export const MAX_PASSWORD = 256

export function isUserName(name: string): boolean {
  return NAME.test(name)
}
