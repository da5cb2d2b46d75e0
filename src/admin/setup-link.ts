/** The one-time links that create the first account. They are dead as soon as an account exists. */
import { hasCode, PreauError } from '../errors.ts'
import type { SetupLink, User } from '../policy/account.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'
import { makeUser, userId } from './accounts.ts'
import { againOnConflict } from './again-on-conflict.ts'
import { createToken, hashToken, isSameToken } from './token.ts'

/** As many machines may be set up at once; of more starts the newest count. */
const MAX_LINKS = 10
const DAY_MS = 86_400_000

/** Makes a link beside those of the last day; undefined when there is an account already. `now`: epoch ms. */
export function createSetupLink(store: Store, now: number): Promise<{ token: string } | undefined> {
  return againOnConflict(async () => {
    const before = await store.get('setup', CURRENT)
    if ((await store.count('user')) > 0) return undefined
    const token = createToken()
    const fresh = linksOf(before).filter(({ at }) => now - at < DAY_MS)
    const links = [...fresh.slice(1 - MAX_LINKS), { tokenHash: hashToken(token), at: now }]
    await store.commit({ by: 'system', action: 'setup.link', at: now }, [
      { kind: 'setup', id: CURRENT, expects: before?.version ?? 'absent', body: { links } },
    ])
    return { token }
  })
}

/** The record of the links, when a token opens one that is younger than a day (`now`: epoch ms). Throws PREAU_SETUP_DEAD. */
export async function findSetupLink(
  store: Store,
  token: string,
  now: number,
): Promise<Stored<'setup'>> {
  const found = await store.get('setup', CURRENT)
  const hash = hashToken(token)
  const isKnown = linksOf(found).some(
    ({ tokenHash, at }) => isSameToken(hash, tokenHash) && now - at < DAY_MS,
  )
  if (found === undefined || !isKnown || (await store.count('user')) > 0) {
    throw new PreauError('PREAU_SETUP_DEAD')
  }
  return found
}

/** An earlier version kept a single link in another form; every start makes a new one. */
function linksOf(found: Stored<'setup'> | undefined): readonly SetupLink[] {
  return found !== undefined && 'links' in found.body ? found.body.links : []
}

export interface FirstAccount {
  readonly token: string
  readonly name: string
  readonly password: string
  readonly now: number
}

/** Creates the first account and spends the links, in one commit. Throws PREAU_SETUP_DEAD, PREAU_USER_NAME or PREAU_PASSWORD_LENGTH. */
export async function spendSetupLink(store: Store, wanted: FirstAccount): Promise<User> {
  const { token, name, password, now } = wanted
  const link = await findSetupLink(store, token, now)
  const user = await makeUser({ name, password, role: 'dsi', by: name, now })
  const changes: Change[] = [
    { kind: 'setup', id: CURRENT, expects: link.version, body: null },
    { kind: 'user', id: userId(user.name), expects: 'absent', body: user },
  ]
  const detail = { role: user.role, setup: true }
  try {
    const note = { by: user.name, action: 'user.add', subject: user.name, detail, at: now }
    await store.commit(note, changes)
  } catch (error) {
    if (hasCode(error, 'PREAU_CONFLICT')) {
      throw new PreauError('PREAU_SETUP_DEAD', {}, { cause: error })
    }
    throw error
  }
  return user
}
