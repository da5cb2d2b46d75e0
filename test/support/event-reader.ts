/** Reads server-sent events as a page does, and lets a test wait for one. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

export interface EventReader {
  readonly status: number
  /** Resolves at the next event of this name; rejects after half a minute. */
  next(name: string): Promise<void>
  close(): void
}

export async function readEvents(
  url: string,
  headers: Record<string, string>,
): Promise<EventReader> {
  const request = get(url, { headers, agent: false })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const listeners = new Set<(name: string) => void>()
  answer.setEncoding('utf8')
  answer.on('error', () => undefined)
  answer.on('data', (text: string) => {
    for (const [, name = ''] of text.matchAll(/^event: (\w+)$/gm))
      for (const listener of listeners) listener(name)
  })
  return {
    status: answer.statusCode ?? 0,
    next: name =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no event ${name}`)), 30_000)
        const listener = (found: string): void => {
          if (found !== name) return
          clearTimeout(timer)
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
      }),
    close: () => void request.destroy(),
  }
}
