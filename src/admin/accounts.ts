/** The accounts of the admin app: adding, changing and disabling them. There is always somebody left who can decide. */
import { PreauError } from '../errors.ts'
import { isUserName, MAX_PASSWORD, MIN_PASSWORD, type Role, type User } from '../policy/account.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'
import { hashPassword } from './password.ts'
import { listAll } from './list-all.ts'

/** Who acts (`CommitNote.by`) and when (epoch ms). */
export interface Act {
  readonly by: string
  readonly now: number
}

export interface NewUser extends Act {
  readonly name: string
  readonly role: Role
  readonly password: string
}

const MAX_USERS = 1_000
/** Who acts in the audit log when it is no person. */
const NOT_PEOPLE = new Set(['cli', 'system'])

/** The id under which an account is stored: `Alice` and `alice` are one person. */
export function userId(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

export function listUsers(store: Store): Promise<Stored<'user'>[]> {
  return listAll(store, 'user', {}, MAX_USERS)
}

/** Throws PREAU_PASSWORD_LENGTH. */
function assertPassword(password: string): void {
  const { length } = password
  if (length >= MIN_PASSWORD && length <= MAX_PASSWORD) return
  throw new PreauError('PREAU_PASSWORD_LENGTH', { min: MIN_PASSWORD, max: MAX_PASSWORD })
}

/** Validates a new account and hashes its password. Throws PREAU_USER_NAME or PREAU_PASSWORD_LENGTH. */
export async function makeUser({ name, role, password, now }: NewUser): Promise<User> {
  const clean = name.trim().normalize('NFC')
  if (!isUserName(clean) || NOT_PEOPLE.has(userId(clean))) throw new PreauError('PREAU_USER_NAME')
  assertPassword(password)
  return { name: clean, role, password: await hashPassword(password), at: now }
}

/** Creates an account; the one-time set-up link dies with the first one. Throws PREAU_USER_EXISTS, PREAU_USER_NAME or PREAU_PASSWORD_LENGTH. */
export async function addUser(store: Store, wanted: NewUser): Promise<User> {
  const user = await makeUser(wanted)
  const id = userId(user.name)
  if (await store.get('user', id)) throw new PreauError('PREAU_USER_EXISTS', { name: user.name })
  const link = await store.get('setup', CURRENT)
  const changes: Change[] = [{ kind: 'user', id, expects: 'absent', body: user }]
  if (link) changes.push({ kind: 'setup', id: CURRENT, body: null })
  const { by, now } = wanted
  const note = { by, action: 'user.add', subject: user.name, detail: { role: user.role }, at: now }
  await store.commit(note, changes)
  return user
}

/** Sets a password and ends the sessions of its account. Throws PREAU_USER_UNKNOWN or PREAU_PASSWORD_LENGTH. */
export async function setPassword(
  store: Store,
  { name, password, by, now }: Act & { readonly name: string; readonly password: string },
): Promise<User> {
  assertPassword(password)
  const found = await findUser(store, name)
  const body: User = { ...found.body, password: await hashPassword(password) }
  await store.commit({ by, action: 'user.password', subject: body.name, at: now }, [
    { kind: 'user', id: found.id, expects: found.version, body },
    ...(await sessionEnds(store, found.id)),
  ])
  return body
}

/** Throws PREAU_USER_UNKNOWN or PREAU_LAST_DSI. */
export async function setRole(store: Store, name: string, role: Role, act: Act): Promise<void> {
  const read = (): Promise<Stored<'user'>> => findUser(store, name)
  const found = await read()
  if (found.body.role === role) {
    await store.confirmed(read)
    return
  }
  const note = { action: 'user.role', subject: found.body.name, detail: { role } }
  await replaceUser(store, found, { ...found.body, role }, { ...note, by: act.by, at: act.now })
}

/** Disables or enables an account; disabling ends its sessions. Throws PREAU_USER_UNKNOWN or PREAU_LAST_DSI. */
export async function setDisabled(
  store: Store,
  name: string,
  disabled: boolean,
  { by, now }: Act,
): Promise<void> {
  const read = (): Promise<Stored<'user'>> => findUser(store, name)
  const found = await read()
  if ((found.body.disabled ?? false) === disabled) {
    await store.confirmed(read)
    return
  }
  const { disabled: _, ...rest } = found.body
  const action = disabled ? 'user.disable' : 'user.enable'
  const note = { by, action, subject: rest.name, at: now }
  await replaceUser(store, found, disabled ? { ...rest, disabled } : rest, note)
}

async function findUser(store: Store, name: string): Promise<Stored<'user'>> {
  const found = await store.get('user', userId(name))
  if (found === undefined) throw new PreauError('PREAU_USER_UNKNOWN', { name })
  return found
}

async function replaceUser(
  store: Store,
  found: Stored<'user'>,
  body: User,
  note: Parameters<Store['commit']>[0],
): Promise<void> {
  const changes: Change[] = [{ kind: 'user', id: found.id, expects: found.version, body }]
  if (canDecide(found.body) && !canDecide(body)) changes.push(await witness(store, found.id))
  if (body.disabled) changes.push(...(await sessionEnds(store, found.id)))
  await store.commit(note, changes)
}

const canDecide = ({ role, disabled }: User): boolean => role === 'dsi' && !disabled

/**
 * Another account that can decide, written again unchanged with the version it has: two people who demote each other
 * at the same instant cannot both succeed. Throws PREAU_LAST_DSI.
 */
async function witness(store: Store, id: string): Promise<Change> {
  const users = await listUsers(store)
  const other = users.find(user => user.id !== id && canDecide(user.body))
  if (other === undefined) throw new PreauError('PREAU_LAST_DSI')
  return { kind: 'user', id: other.id, expects: other.version, body: other.body }
}

/** More than an account can have: the oldest end when one more is opened. */
const MAX_SESSIONS = 1_000

export function listSessions(store: Store, user: string): Promise<Stored<'session'>[]> {
  return listAll(store, 'session', { facet: `user:${user}` }, MAX_SESSIONS)
}

/** The changes that end every session of an account. */
async function sessionEnds(store: Store, id: string): Promise<Change[]> {
  const sessions = await listSessions(store, id)
  return sessions.map((session): Change => ({ kind: 'session', id: session.id, body: null }))
}
