/** Every route of the admin app, who may use it, and a form that it accepts: for the tests that go through all of them. */
import { aCandidate, dropSource, inForce, putCandidate, putLists, putSource } from './list-world.ts'
import { join } from 'node:path'
import { CURRENT } from '../../src/policy/document.ts'
import { certifyAgain, describeCertificate, openAuthority } from '../../src/tls/authority.ts'
import { START, type World } from './world.ts'

export type Row = readonly [anonymous: number, reader: number, dsi: number]
const PAGE: Row = [303, 200, 200]
const SCRIPT: Row = [401, 200, 200]
const ACT: Row = [303, 403, 303]
/** Every route, and what it answers to whom. `:id` and `:name` stand for a pending request, a grant, an account, a source. */
export const MATRIX: Record<string, Row> = {
  'GET /': PAGE,
  'GET /requests': PAGE,
  'GET /requests/:id': PAGE,
  'GET /requests/pending': SCRIPT,
  'GET /requests/rows': SCRIPT,
  'POST /requests/seen': [401, 403, 204],
  'POST /requests/:id/approve': ACT,
  'POST /requests/:id/refuse': ACT,
  'POST /requests/:id/undo': ACT,
  'GET /grants': PAGE,
  'POST /grants/:id/revoke': ACT,
  'POST /grants/:id/restore': ACT,
  'GET /policy': PAGE,
  'GET /certificate': PAGE,
  'GET /certificate/preau-ca.crt': PAGE,
  'GET /certificate/preau-ca-next.crt': PAGE,
  'GET /certificate/preau-ca-previous.crt': PAGE,
  'POST /certificate/prepare': ACT,
  'POST /certificate/activate': ACT,
  'POST /certificate/discard': ACT,
  'POST /certificate/rollback': ACT,
  'GET /explain': PAGE,
  'GET /local': PAGE,
  'POST /local': ACT,
  'POST /local/remove': ACT,
  'POST /local/restore': ACT,
  'GET /lists': PAGE,
  'GET /lists/work': SCRIPT,
  'GET /lists/candidate': PAGE,
  'GET /lists/sources': PAGE,
  'POST /lists/activate': ACT,
  'POST /lists/discard': ACT,
  'POST /lists/rollback': ACT,
  'POST /lists/sources': ACT,
  'POST /lists/sources/known': ACT,
  'POST /lists/sources/:name': ACT,
  'POST /lists/sources/:name/state': ACT,
  'POST /lists/sources/:name/remove': ACT,
  'POST /lists/sources/:name/restore': ACT,
  'POST /lists/sources/:name/fetch': ACT,
  'GET /audit': PAGE,
  'GET /users': PAGE,
  'POST /users': ACT,
  'POST /users/:name/role': ACT,
  'POST /users/:name/state': ACT,
  'POST /users/:name/password': ACT,
  'GET /account': PAGE,
  'POST /account': [303, 303, 303],
  'POST /sign-out': [303, 303, 303],
  'GET /sign-in': [200, 303, 303],
  'GET /healthz': [200, 200, 200],
  'GET /readyz': [200, 200, 200],
  'GET /metrics': [200, 200, 200],
}
/** Told apart in tests of their own: the stream does not end, the others need no session at all. */
export const ELSEWHERE = new Set(['GET /events', 'POST /sign-in', 'GET /setup', 'POST /setup'])

export const FORM = {
  scope: 'pc',
  duration: 'hour',
  reason: 'Contraire à la charte',
  ids: 'x',
  name: 'Nouveau',
  role: 'reader',
  state: 'enabled',
  password: 'une phrase assez longue',
  current: 'une phrase assez longue',
  url: 'https://listes.example/jeux.txt',
  format: 'auto',
  category: '',
  anyway: 'yes',
  host: 'regle.example',
  action: 'block',
  site: '',
  until: '',
}

/** What the form of a route names beyond that: an update that waits, the version in force, a source. */
export async function prepare(world: World, route: string): Promise<Record<string, string>> {
  if (route.startsWith('POST /local/re')) return { key: 'lumni.fr|allow||' }
  if (route.includes('/certificate')) return putCertificates(world)
  if (!route.includes('/lists')) return {}
  await putLists(world.store, inForce(START), START)
  await putCandidate(world.store, aCandidate(START), START)
  for (const id of ['ut1', 'nouveau', 'autre']) await dropSource(world.store, id)
  if (route.includes(':name') && !route.endsWith('/restore'))
    await putSource(world.store, { name: 'autre' })
  const version = (await world.store.get('source', 'autre'))?.version ?? 'v2'
  const name = route.endsWith('/known') ? 'ut1' : 'nouveau'
  const state = route.endsWith('/state') ? 'disabled' : 'reader'
  // A source has a password beside a user's name only.
  return { version: String(version), candidate: 'v3', name, state, password: '' }
}

/** Three certificates of one CA, whose key is in the data folder. */
async function putCertificates({ store, config }: World): Promise<Record<string, string>> {
  const folder = join(config.dataDir, 'ca')
  const { caPem } = await openAuthority(folder, { cityName: 'Démonstration', now: START })
  const again = () => certifyAgain(folder, { cityName: 'Saint-Aubin', now: START })
  const [ca, caNext, caPrevious] = [caPem, await again(), await again()].map(describeCertificate)
  if (ca === undefined || caNext === undefined || caPrevious === undefined) throw new Error()
  const body = { caFingerprint: ca.fingerprint, ca, caNext, caPrevious }
  const note = { by: 'system', action: 'ca.record', at: START }
  await store.commit(note, [{ kind: 'installation', id: CURRENT, body }])
  return { inUse: ca.fingerprint, next: caNext.fingerprint }
}

/** The routes of the tree as Fastify prints it, one line a route. */
export function routesOf(tree: string): string[] {
  const stack: string[] = []
  return tree.split('\n').flatMap(line => {
    const match = /^([│ ]*)[└├]── (.*?)(?: \((.*)\))?$/.exec(line)
    if (!match) return []
    const [, indent = '', segment = '', methods = ''] = match
    const depth = indent.length / 4
    stack.length = depth
    stack[depth] = segment
    const path = stack.join('')
    return methods
      .split(', ')
      .filter(method => method === 'GET' || method === 'POST')
      .map(method => `${method} ${path}`)
  })
}
