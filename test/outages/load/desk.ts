/** A member of the DSI at the admin app, as a browser speaks to it: set-up, sign-in, the pending list, decisions, revocations. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { ask, type Answer, type Trouble } from './ask.ts'

const NAME = 'Claire'
const PASSWORD = 'correct horse battery staple'
const FROM = '127.0.3.1'
const RETRY_MS = 200

/** `signedOut`: the session is not known any more. */
export type Told = 'done' | 'unavailable' | 'signedOut' | 'trouble' | 'alreadyDecided' | 'other'

export interface Act {
  readonly told: Told
  readonly answer: Answer | Trouble
}

export class Desk {
  readonly #port: number
  readonly #origin: string
  #cookie = ''
  #csrf = ''
  /** How often it had to sign in again. */
  signIns = 0

  constructor(adminPort: number) {
    this.#port = adminPort
    this.#origin = `http://127.0.0.1:${adminPort}`
  }

  /** Creates the first account through the one-time link. */
  async setUp(setupUrl: string): Promise<void> {
    const token = new URL(setupUrl).searchParams.get('token') ?? ''
    const fields = { token, name: NAME, password: PASSWORD, repeat: PASSWORD }
    if (!(await this.#enter(`/setup?token=${token}`, '/setup', fields)))
      throw new Error('no set-up')
  }

  /** Tries until it is in, or until `isOver`. */
  async signIn(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (
        await this.#enter('/sign-in', '/sign-in', { name: NAME, password: PASSWORD, next: '/' })
      ) {
        this.signIns += 1
        return
      }
      await elapsed(RETRY_MS)
    }
  }

  async #enter(page: string, action: string, fields: Record<string, string>): Promise<boolean> {
    const form = await ask({ port: this.#port, path: page, from: FROM })
    if (form.kind === 'trouble' || form.status !== 200) return false
    const answer = await ask({
      port: this.#port,
      path: action,
      method: 'POST',
      from: FROM,
      headers: { origin: this.#origin, cookie: cookiesOf(form) },
      form: { ...fields, _csrf: tokenIn(form.body) },
    })
    if (answer.kind === 'trouble' || answer.status !== 303) return false
    this.#cookie = cookiesOf(answer)
    const home = await this.get('/')
    if (home.told !== 'done' || home.answer.kind === 'trouble') return false
    this.#csrf = tokenIn(home.answer.body)
    return true
  }

  async get(path: string): Promise<Act> {
    const headers = { cookie: this.#cookie }
    const answer = await ask({ port: this.#port, path, from: FROM, headers })
    return { told: toldBy(answer), answer }
  }

  async post(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Act> {
    const answer = await ask({
      port: this.#port,
      path,
      method: 'POST',
      from: FROM,
      headers: { origin: this.#origin, cookie: this.#cookie, accept: 'application/json' },
      form: { ...fields, _csrf: this.#csrf },
    })
    return { told: toldBy(answer), answer }
  }

  /** The pending requests of the newest page: their ids by host. Undefined: it could not be read now. */
  async pending(): Promise<ReadonlyMap<string, string> | Act> {
    const act = await this.get('/requests/pending')
    if (act.told !== 'done' || act.answer.kind === 'trouble') return act
    const rows = act.answer.body.matchAll(/data-id="([^"]+)"[^>]*data-host="([^"]+)"/g)
    return new Map(Array.from(rows, ([, id = '', host = '']) => [host, id]))
  }

  /** The ids of the grants in force, by host. */
  async grants(): Promise<ReadonlyMap<string, string> | Act> {
    const act = await this.get('/grants')
    if (act.told !== 'done' || act.answer.kind === 'trouble') return act
    const rows = act.answer.body.matchAll(
      /<b class="break">([^<]+)<[\s\S]*?\/grants\/([^"/]+)\/revoke"/g,
    )
    return new Map(Array.from(rows, ([, host = '', id = '']) => [host, id]))
  }
}

function toldBy(answer: Answer | Trouble): Told {
  if (answer.kind === 'trouble') return 'trouble'
  const { status, headers } = answer
  if (status === 401) return 'signedOut'
  if (status === 303) return headers.location?.startsWith('/sign-in') ? 'signedOut' : 'done'
  if (status >= 200 && status < 300) return 'done'
  if (status === 503) return 'unavailable'
  return status === 409 ? 'alreadyDecided' : 'other'
}

const cookiesOf = ({ headers }: Answer): string =>
  (headers['set-cookie'] ?? []).map(cookie => cookie.split(';')[0]).join('; ')

const tokenIn = (html: string): string =>
  /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? dataToken(html)
const dataToken = (html: string): string => /data-csrf="([^"]+)"/.exec(html)?.[1] ?? ''
