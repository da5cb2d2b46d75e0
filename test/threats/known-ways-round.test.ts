/** Cases 49, 53 and 54 of the catalogue: encrypted DNS, hidden names, relays and archives, against the shipped lists. */
import t from 'tap'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { starterFiles } from '../../src/categories/starter.ts'
import { createAddressJudge } from '../../src/policy/address.ts'
import type { CategoryLookup } from '../../src/policy/category.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { suffixes } from '../../src/policy/host.ts'
import { buildSnapshot } from '../../src/policy/snapshot.ts'
import { decide } from '../../src/policy/verdict.ts'
import { hello, serverName, type Extension } from '../support/hello.ts'
import { eventually, openProxyWorld } from '../support/proxy-world.ts'
import { aPolicy, host } from '../support/snapshot.ts'

/** What the shipped lists say. */
async function shipped(): Promise<CategoryLookup> {
  const listed = new Map<string, string[]>()
  for (const { category, file } of await starterFiles())
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1))
      listed.set(line, [...(listed.get(line) ?? []), category])
  return asked => [...suffixes(asked)].flatMap(name => listed.get(name) ?? []).sort()
}

t.test('after a first start no profile reaches a known way round the filter', async t => {
  const snapshot = buildSnapshot({
    policy: DEFAULT_POLICY,
    grants: [],
    catalogue: loadCatalogue(),
    categories: await shipped(),
    addresses: createAddressJudge([]),
  })
  const client = snapshot.networks(host('192.168.1.2'))
  for (const profile of snapshot.profiles.keys()) {
    for (const name of [
      // Encrypted DNS, also by its address; the canary by which Firefox asks whether it may use it.
      'dns.google',
      'mozilla.cloudflare-dns.com',
      'chrome.cloudflare-dns.com',
      'dns.quad9.net',
      '1.1.1.1',
      '8.8.8.8',
      '[2606:4700:4700::1111]',
      'use-application-dns.net',
      // Apple’s relay; the name behind which all of Cloudflare hides (ECH).
      'mask.icloud.com',
      'mask-h2.icloud.com',
      'cloudflare-ech.com',
      // Translators, caches and archives that hide what they show.
      'blocked-test.translate.goog',
      'translated.turbopages.org',
      'webcache.googleusercontent.com',
      'web.archive.org',
      'archive.ph',
      'r.jina.ai',
      // Relays, tunnels, Tor.
      'croxyproxy.com',
      'nordvpn.com',
      'torproject.org',
    ])
      t.equal(
        decide(snapshot, { ...client, profile }, { host: host(name), port: 443 }, 0).action,
        'block',
        `${profile}: ${name}`,
      )
  }
})

t.test(
  'a name hidden by ECH does not pass behind its public one, unless the city opens it',
  async t => {
    const heard: Buffer[] = []
    const origin = createServer(socket => {
      socket.on('data', (chunk: Buffer) => heard.push(chunk))
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(origin, 'listening')
    t.teardown(() => origin.close())
    const { port } = origin.address() as AddressInfo
    const categories = await shipped()
    const pupils = { ...aPolicy().profiles[1], blocked: ['doh'] }
    const ech: Extension = [0xfe0d, Buffer.alloc(250, 3)]
    const outer = hello({ extensions: [serverName('cloudflare-ech.com'), ech] })
    const grease = hello({ extensions: [serverName('free.test'), ech] })
    const open = async (bytes: Buffer, rules: ReturnType<typeof aPolicy>['rules'] = []) => {
      const policy = aPolicy({ rules })
      const profiles = policy.profiles.map(one =>
        one.id === 'pupils' ? { ...one, ...pupils } : one,
      )
      const world = await openProxyWorld(t, { policy: { ...policy, profiles }, categories })
      const socket = await world.open()
      socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
      socket.write(bytes)
      await eventually(() => world.log.length > 0 || heard.length > 0)
      return world.log
    }
    t.match(await open(outer), [{ hello: 'cloudflare-ech.com', verdict: 'block', category: 'doh' }])
    t.equal(heard.length, 0, 'not a byte reached the site')
    await open(grease)
    t.ok(Buffer.concat(heard).equals(grease), 'what only looks like it passes unchanged')
    heard.length = 0
    await open(outer, [{ host: host('cloudflare-ech.com'), action: 'allow' }])
    t.ok(Buffer.concat(heard).equals(outer))
  },
)
