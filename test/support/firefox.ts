/** Debian's Firefox ESR, driven over WebDriver BiDi, which it speaks itself: Playwright drives only a Firefox of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { runProgram } from './product.ts'

export interface FirefoxOptions {
  /** `http://<host>:<port>` */
  readonly proxy: string
  /** PEM files of authorities. */
  readonly trusted: readonly string[]
}

export interface Firefox {
  /** Opens an address. Rejects with what Firefox says when no page comes. */
  goto(url: string): Promise<void>
  /** What an expression is worth in the page; text, number or boolean. */
  evaluate(expression: string): Promise<unknown>
  /** A PNG of what is seen. */
  screenshot(): Promise<Buffer>
}

interface Answer {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: string
  readonly message?: string
}

export async function openFirefox(t: Test, options: FirefoxOptions): Promise<Firefox> {
  // Not in the folder of the test, which is removed while Firefox's own children may still write.
  const home = mkdtempSync(join(tmpdir(), 'preau-firefox-'))
  const profile = join(home, 'profile')
  await makeProfile(profile, options)
  const child = spawn(
    'firefox-esr',
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { env: { ...process.env, HOME: home }, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
  const exited = once(child, 'exit')
  t.teardown(async () => {
    // The whole group: what it has started would outlive it.
    process.kill(-Number(child.pid), 'SIGKILL')
    await exited
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  const send = await connectTo(`${await addressOf(child.stderr)}/session`)
  await send('session.new', { capabilities: {} })
  const { contexts } = await send('browsingContext.getTree', {})
  const context = (contexts as { context: string }[])[0]?.context
  return {
    async goto(url) {
      await send('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    async evaluate(expression) {
      const { result } = await send('script.evaluate', {
        expression,
        target: { context },
        awaitPromise: true,
      })
      return (result as { value?: unknown }).value
    },
    async screenshot() {
      const { data } = await send('browsingContext.captureScreenshot', { context })
      return Buffer.from(String(data), 'base64')
    },
  }
}

/** A school's settings: everything through the proxy, the city's authority trusted, nothing fetched by itself. */
async function makeProfile(profile: string, { proxy, trusted }: FirefoxOptions): Promise<void> {
  mkdirSync(profile, { recursive: true })
  const { hostname, port } = new URL(proxy)
  const preferences = {
    'network.proxy.type': 1,
    'network.proxy.http': hostname,
    'network.proxy.http_port': Number(port),
    'network.proxy.ssl': hostname,
    'network.proxy.ssl_port': Number(port),
    'network.proxy.allow_hijacking_localhost': true,
    'intl.accept_languages': 'fr',
    'dom.security.https_first': false,
    'dom.security.https_only_mode': false,
    'app.update.auto': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
  }
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  writeFileSync(join(profile, 'user.js'), lines.join(''))
  const certutil = (...args: string[]) => runProgram('certutil', ['-d', `sql:${profile}`, ...args])
  await certutil('-N', '--empty-password')
  for (const [i, file] of trusted.entries()) {
    const { code, stderr } = await certutil('-A', '-t', 'C,,', '-n', `authority-${i}`, '-i', file)
    if (code !== 0) throw new Error(stderr)
  }
}

async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = []
  for await (const line of createInterface({ input: stderr })) {
    const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1]
    if (address !== undefined) {
      stderr.resume()
      return address
    }
    said.push(line)
  }
  throw new Error(`Firefox did not start\n${said.join('\n')}`)
}

type Send = (method: string, params: object) => Promise<Record<string, unknown>>

async function connectTo(url: string): Promise<Send> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  let last = 0
  return async (method, params) => {
    const id = ++last
    const answered = new Promise<Answer>(resolve => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error, message } = await answered
    waiting.delete(id)
    if (result === undefined) throw new Error(`${error}: ${message}`)
    return result
  }
}
