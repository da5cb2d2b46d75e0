/** Two people and what they see: a pupil behind the proxy, somebody of the DSI in the admin app. */
import { once } from 'node:events'
import { request, type IncomingMessage, type RequestOptions } from 'node:http'

async function send(options: RequestOptions, body?: string): Promise<IncomingMessage> {
  const asked = request({ agent: false, ...options })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return answer
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  return text
}

export interface Stream {
  /** Resolves at the next piece of news in which `is` finds what it looks for. */
  readonly until: (is: (news: string) => boolean) => Promise<void>
  readonly close: () => void
}

/** News are kept until somebody waits for them. */
function follow(answer: IncomingMessage): Stream {
  let unread = ''
  let wake = (): void => undefined
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    unread += chunk
    wake()
  })
  return {
    async until(is) {
      while (!is(unread)) await new Promise<void>(resolve => (wake = resolve))
      unread = ''
    },
    close: () => answer.destroy(),
  }
}

export interface Pupil {
  readonly statusOf: (url: string) => Promise<number>
  readonly click: (origin: string) => Promise<void>
  /** What the block page follows after the click. */
  readonly follow: (origin: string) => Promise<Stream>
}

export function aPupil(proxyPort: number): Pupil {
  const ask = (path: string, method = 'GET', accept = 'text/html'): Promise<IncomingMessage> =>
    send({ port: proxyPort, host: '127.0.0.1', method, path, headers: { host: 'a', accept } })
  return {
    async statusOf(url) {
      const answer = await ask(url)
      await textOf(answer)
      return answer.statusCode ?? 0
    },
    async click(origin) {
      const answer = await ask(`${origin}/.preau/unblock`, 'POST', 'application/json')
      const text = await textOf(answer)
      if (answer.statusCode !== 200) throw new Error(`the click: ${answer.statusCode} ${text}`)
    },
    follow: async origin => follow(await ask(`${origin}/.preau/follow`)),
  }
}

export interface Person {
  /** The part of the first page that is live, as HTML. */
  readonly pending: () => Promise<string>
  readonly approve: (id: string) => Promise<void>
  readonly events: () => Promise<Stream>
}

/** Signs in. */
export async function aPerson(port: number, name: string, password: string): Promise<Person> {
  const cookies = new Map<string, string>()
  let csrf = ''
  const ask = async (path: string, form?: Record<string, string>): Promise<IncomingMessage> => {
    const headers = {
      cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; '),
      accept: form === undefined ? 'text/html' : 'application/json',
      ...(form === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            origin: `http://127.0.0.1:${port}`,
          }),
    }
    const options = { port, host: '127.0.0.1', path, headers }
    const answer = await (form === undefined
      ? send(options)
      : send({ ...options, method: 'POST' }, String(new URLSearchParams({ _csrf: csrf, ...form }))))
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(key, value)
    }
    return answer
  }
  const page = async (path: string): Promise<string> => {
    const text = await textOf(await ask(path))
    csrf = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? csrf
    return text
  }
  await page('/sign-in')
  const answer = await ask('/sign-in', { name, password })
  await textOf(answer)
  if (answer.statusCode !== 303) throw new Error(`signing in: ${answer.statusCode}`)
  await page('/')
  return {
    pending: () => page('/requests/pending'),
    async approve(id) {
      const decided = await ask(`/requests/${id}/approve`, { scope: 'site', duration: 'hour' })
      const text = await textOf(decided)
      if (decided.statusCode !== 200) throw new Error(`approving: ${decided.statusCode} ${text}`)
    },
    events: async () => follow(await ask('/events')),
  }
}
