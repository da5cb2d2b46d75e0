/** Forms of the block page, with any address, field and body: an answer each time, never an error of ours. */
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { configSchema } from '../../src/config.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import type { Refusal } from '../../src/policy/refusal.ts'
import { decide } from '../../src/policy/verdict.ts'
import { createPortal } from '../../src/portal/app.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { aCurrent, aSnapshot } from '../support/snapshot.ts'
import { measureSelf } from './engine/measure.ts'
import { latin1, mutate } from './engine/mutate.ts'
import { createRandom, seedOf, type Random } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const HOSTS = ['games.test', 'adult.test', 'shop.test', 'preau.internal', '10.1.2.3', '2001:db8::1']
const PATHS = ['/.preau/unblock', '/.preau/continue', '/.preau/x', '/', '/ca.pem', '/.preau/../x']
const FIELDS = [
  'referer',
  'origin',
  'content-type',
  'accept',
  'accept-language',
  'sec-fetch-site',
  'sec-fetch-dest',
  'user-agent',
]
const NOW = Date.UTC(2026, 8, 14, 8, 40)

const mutation = {
  seeds: latin1([
    'http://games.test/a?b=c',
    'https://games.test:8443/<script>alert(1)</script>',
    'application/x-www-form-urlencoded; charset=utf-8',
    'text/html,application/xhtml+xml;q=0.9',
    'fr-FR,fr;q=0.9,en;q=0.8',
    'same-origin',
    'null',
    'a=b&c=d&a=e&%00=%ff',
    '{"__proto__":{"x":1}}',
  ]),
  words:
    '&|=|%|%00|%2e|+|;|,|q=|/|//|:|@|?|#|<|>|"|__proto__|[]|\r\n|\0|games.test|shop.test|http://'.split(
      '|',
    ),
  maxBytes: 10_000,
}

interface Asked {
  readonly options: InjectOptions
  readonly host: Host
  readonly scheme: 'http' | 'https'
}

/** The parts of a request out of the bytes of an input: one line each. */
function requestOf(bytes: Buffer): Asked {
  const random = createRandom(seedOf(bytes))
  const [first = '', ...lines] = bytes.toString('latin1').split('\n')
  const headers: Record<string, string> = {}
  for (const line of lines.slice(0, 6)) {
    // What no HTTP parser lets through does not come here.
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    headers[random.pick(FIELDS)] = line.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '')
  }
  const host = parseHost(random.pick(HOSTS)) as Host
  const method = random.pick(['POST', 'POST', 'GET', 'HEAD', 'PUT'] as const)
  const url = random.pick(PATHS) + (random.oneIn(3) ? `?${encodeURI(first.toWellFormed())}` : '')
  const payload = method === 'GET' || method === 'HEAD' ? {} : { payload: bytes }
  return {
    options: { method, url, headers, ...payload },
    host,
    scheme: random.pick(['http', 'https']),
  }
}

const make = (random: Random): Buffer =>
  Buffer.concat(
    Array.from({ length: 1 + random.below(6) }, () => [
      mutate(random, mutation),
      Buffer.from('\n'),
    ]).flat(),
  )

export const portal: FuzzTarget = {
  name: 'portal',
  bounded: 600,
  async open(scope) {
    const store = await openSqliteStore(join(scope.testdir(), 'preau.db'))
    const current = aCurrent(aSnapshot())
    let refusal: Refusal | undefined
    const app = await createPortal({
      store,
      current,
      clock: () => NOW,
      limits: { ...configSchema.parse({}).limits, unblockPerMinute: 0 },
      refusalOf: (_raw: IncomingMessage) => refusal,
      certificates: () => ({ inUse: undefined, next: undefined }),
      logger: false,
    })
    await app.ready()
    scope.teardown(async () => {
      await app.close()
      await store.close()
    })
    const check = async (input: Buffer): Promise<void> => {
      const { options, host, scheme } = requestOf(input)
      const client = current.snapshot.networks(parseHost('10.1.0.7') as Host)
      const target = { host, port: scheme === 'http' ? 80 : 443 }
      const verdict = decide(current.snapshot, client, target, NOW)
      if (verdict.action === 'allow') return
      refusal = { client, target, verdict, scheme }
      const { statusCode, body } = await app.inject(options)
      promise(statusCode < 500 || statusCode === 503, `${statusCode} ${body.slice(0, 300)}`)
      promise(!/<script>alert/.test(body), 'what was sent stands on the page as it is')
    }
    return {
      batch: 50,
      make,
      async attempt(inputs) {
        for (const input of inputs) await check(input)
      },
      measure: measureSelf,
    }
  },
}
