/** A browser of the admin app without its pictures: keeps cookies, reads form tokens, sends forms as pages do. */
import { readEvents, type EventReader } from './event-reader.ts'

export interface Page {
  readonly status: number
  readonly location: string | null
  readonly body: string
}

export class AdminClient {
  readonly #url: string
  readonly #cookies = new Map<string, string>()
  #csrf = ''

  constructor(url: string) {
    this.#url = url
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies
  }

  /** Somebody who holds the same cookies. */
  clone(url = this.#url): AdminClient {
    const copy = new AdminClient(url)
    for (const [name, value] of this.#cookies) copy.#cookies.set(name, value)
    copy.#csrf = this.#csrf
    return copy
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Page> {
    const page = await this.#send(path, { headers })
    this.#csrf = /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? this.#csrf
    return page
  }

  post(
    path: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const { origin } = new URL(this.#url)
    const type = 'application/x-www-form-urlencoded'
    return this.#send(path, {
      method: 'POST',
      headers: { 'content-type': type, origin, ...headers },
      body: new URLSearchParams({ _csrf: this.#csrf, ...form }).toString(),
    })
  }

  async signIn(name: string, password: string): Promise<Page> {
    await this.get('/sign-in')
    const page = await this.post('/sign-in', { name, password })
    if (page.status === 303) await this.get('/')
    return page
  }

  /** The live stream of the pages. */
  events(): Promise<EventReader> {
    return readEvents(`${this.#url}/events`, { cookie: this.#cookieHeader })
  }

  get #cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async #send(path: string, options: RequestInit): Promise<Page> {
    const headers = {
      'accept-language': 'fr',
      cookie: this.#cookieHeader,
      ...(options.headers as Record<string, string>),
    }
    const answer = await fetch(this.#url + path, { ...options, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) this.#keep(line)
    const { status } = answer
    return { status, location: answer.headers.get('location'), body: await answer.text() }
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}
