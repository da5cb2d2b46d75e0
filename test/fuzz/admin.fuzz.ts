/** Pages and forms of the admin app, with any field and body, signed in as the DSI: an answer each time, never an error of ours. */
import { openWorld, type Browser } from '../admin/world.ts'
import { measureSelf } from './engine/measure.ts'
import { latin1, mutate } from './engine/mutate.ts'
import { createRandom, seedOf, type Random } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

/** What is read; not `/events`, which does not end. */
const PAGES = [
  '/',
  '/requests',
  '/requests/ID',
  '/grants',
  '/lists',
  '/lists/work',
  '/lists/candidate',
  '/lists/sources',
]
const MORE_PAGES = [
  '/local',
  '/users',
  '/policy',
  '/audit',
  '/explain',
  '/account',
  '/setup',
  '/requests/pending',
  '/x',
]
/** What is sent, with the fields that it takes. Not those that hash a password: they are slow on purpose. */
const FORMS: Readonly<Record<string, string>> = {
  '/local': 'host action category reason site until',
  '/local/remove': 'key',
  '/requests/ID/approve': 'scope duration version',
  '/requests/ID/refuse': 'reason version',
  '/requests/ID/undo': 'version',
  '/requests/seen': 'ids',
  '/grants/ID/revoke': 'version',
  '/lists/activate': 'candidate',
  '/lists/discard': 'candidate',
  '/lists/rollback': 'version',
  '/lists/sources': 'name url format category version',
  '/lists/sources/ut1/state': 'state version',
  '/lists/sources/ut1/remove': 'version',
  '/lists/sources/ut1/fetch': 'version',
  '/users/bob/role': 'role',
  '/users/bob/state': 'state',
}
const VALUES =
  'games.test|https://a.example/x|10.0.0.1|allow|block|classify|declassify|games|0590001A|2026-12-31|raison|site|room|city|hour|day|term|auto|archive|lines|enabled|disabled|reader|dsi|1|ut1|lumni.fr'.split(
    '|',
  )
const ODD_TYPES = ['text/plain', 'application/json', 'application/x-www-form-urlencoded; x', '']

const mutation = {
  seeds: [
    ...latin1([...VALUES, '<script>alert(1)</script>', '=cmd|x', 'a@b//c?d#e']),
    Buffer.from('é\u202e\u2028'),
  ],
  words: [
    ...VALUES,
    ...'&|=|%|+|\0|\r\n|__proto__|constructor|[]|{}|..|/|"|<|>|9999-12-31|-1'.split('|'),
  ],
  maxBytes: 3_000,
}

const make = (random: Random): Buffer => {
  const lines = Array.from({ length: 1 + random.below(7) }, () => [
    mutate(random, mutation),
    Buffer.from('\n'),
  ])
  return Buffer.concat(lines.flat())
}

interface Asked {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Record<string, string>
  readonly payload?: string | Buffer
}

/** A page or a form, with values out of the bytes of an input. */
function requestOf(bytes: Buffer, id: string, csrf: string): Asked {
  const random = createRandom(seedOf(bytes))
  const values = bytes.toString().split('\n')
  const valueAt = (at: number): string =>
    random.oneIn(2) ? random.pick(VALUES) : (values[at] ?? '')
  const place = random.oneIn(8) ? encodeURIComponent((values[0] ?? '').toWellFormed()) : id
  if (random.oneIn(3)) {
    const query = ['q', 'host', 'ip', 'before', 'done', 'added', 'token', 'next'].map(
      (name, at) => [name, valueAt(at)] as [string, string],
    )
    const page = random.pick([...PAGES, ...MORE_PAGES]).replace('ID', place)
    return {
      method: 'GET',
      url: `${page}?${new URLSearchParams(query.slice(0, random.below(9))).toString()}`,
    }
  }
  const [path, names] = random.pick(Object.entries(FORMS))
  const fields = names.split(' ').map((name, at) => [name, valueAt(at)] as [string, string])
  const form = new URLSearchParams([['_csrf', csrf], ...fields.filter(() => !random.oneIn(8))])
  const type: Record<string, string> = random.oneIn(15)
    ? { 'content-type': random.pick(ODD_TYPES) }
    : {}
  const payload = random.oneIn(15) ? bytes : form.toString()
  return { method: 'POST', url: path.replace('ID', place), headers: type, payload }
}

export const admin: FuzzTarget = {
  name: 'admin',
  bounded: 300,
  async open(scope) {
    const world = await openWorld(scope)
    await world.user('claire', 'dsi')
    await world.user('bob', 'reader')
    const browser: Browser = await world.as('claire')
    const id = await world.ask()
    const check = async (input: Buffer): Promise<void> => {
      const { method, url, headers = {}, payload = '' } = requestOf(input, id, browser.csrf)
      const answer =
        method === 'GET'
          ? await browser.get(url)
          : await browser.post(url, {}, { headers, payload })
      const { statusCode, body } = answer
      promise(
        statusCode < 500 || statusCode === 503,
        `${method} ${url}: ${statusCode} ${body.slice(0, 300)}`,
      )
      promise(!/<script>alert/.test(body), 'what was sent stands on the page as it is')
    }
    return {
      batch: 25,
      make,
      async attempt(inputs) {
        promise((await browser.get('/account')).statusCode === 200, 'the session is lost')
        for (const input of inputs) await check(input)
      },
      measure: measureSelf,
    }
  },
}
