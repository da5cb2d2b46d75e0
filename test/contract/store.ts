/** What every store promises, whatever it is made of. One suite, run by the tests of each implementation. */
import type { Test } from 'tap'
import type { Grant } from '../../src/policy/grant.ts'
import type { Host } from '../../src/policy/host.ts'
import type { UnblockRequest } from '../../src/policy/unblock-request.ts'
import type { CommitNote, Store } from '../../src/store/store.ts'
import { permitContract } from './permits.ts'

/** Opens one more handle on the data of this test; the suite closes it. */
export type OpenHandle = () => Promise<Store>

export const note = (action = 'test.write', at = 1_700_000_000_000): CommitNote => ({
  by: 'dsi',
  action,
  at,
})

export const request = (id: string, decision?: UnblockRequest['decision']): UnblockRequest => ({
  id,
  host: 'jeux.example' as Host,
  port: 443,
  url: 'https://jeux.example/',
  reason: 'blocked-category',
  site: '0000000A',
  siteName: 'École Jules-Ferry',
  askers: [{ ip: '10.0.0.1' as Host, room: 'Salle 1', at: 1 }],
  clicks: 1,
  at: 1,
  lastAt: 1,
  ...(decision === undefined ? {} : { decision }),
})

const grant = (id: string, endedAt?: number): Grant => ({
  id,
  host: 'jeux.example' as Host,
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'dsi',
  at: 1,
  until: null,
  ...(endedAt === undefined ? {} : { endedAt, endedBy: 'dsi' }),
})

const latest = (id: string, requestId: string, expects?: number | 'absent') =>
  ({
    kind: 'latest',
    id,
    body: { requestId },
    ...(expects === undefined ? {} : { expects }),
  }) as const

/** Resolves at the next call of the watcher; the suite's own time limit is the only clock. */
function nextChange(store: Store): { readonly changed: Promise<void>; readonly stop: () => void } {
  const { promise: changed, resolve } = Promise.withResolvers<void>()
  return { changed, stop: store.watch(resolve) }
}

/** `place` prepares an empty place for one test and returns how handles on it are opened. */
export function storeContract(t: Test, name: string, place: (t: Test) => OpenHandle): void {
  const check = (title: string, run: (t: Test, store: Store, again: OpenHandle) => Promise<void>) =>
    t.test(`${name}: ${title}`, async t => {
      const open = place(t)
      const handles: Store[] = []
      const again: OpenHandle = async () => {
        const store = await open()
        handles.push(store)
        return store
      }
      t.teardown(() => Promise.all(handles.map(store => store.close())))
      await run(t, await again(), again)
    })

  documents(check)
  conflicts(check)
  audit(check)
  watching(check)
  several(check)
  permitContract(check)
}

export type Check = (
  title: string,
  run: (t: Test, store: Store, again: OpenHandle) => Promise<void>,
) => unknown

function documents(check: Check): void {
  check('a record that was never written is not there', async (t, store) => {
    t.equal(await store.get('policy', 'current'), undefined)
    t.same(await store.list('grant'), [])
    t.equal(await store.count('grant'), 0)
  })

  check('what was committed is read back, one version more at each write', async (t, store) => {
    await store.commit(note(), [{ kind: 'request', id: 'r1', body: request('r1') }])
    t.same(await store.get('request', 'r1'), {
      kind: 'request',
      id: 'r1',
      version: 1,
      body: request('r1'),
    })
    await store.commit(note(), [
      { kind: 'request', id: 'r1', expects: 1, body: { ...request('r1'), clicks: 2 } },
    ])
    const stored = await store.get('request', 'r1')
    t.equal(stored?.version, 2)
    t.equal(stored?.body.clicks, 2)
  })

  check('records of different kinds may have the same id', async (t, store) => {
    await store.commit(note(), [
      { kind: 'request', id: 'x', body: request('x') },
      { kind: 'grant', id: 'x', body: grant('x') },
    ])
    t.equal((await store.get('grant', 'x'))?.body.scope.kind, 'city')
    t.equal((await store.get('request', 'x'))?.body.clicks, 1)
  })

  check('lists come newest first, by facet, in pages', async (t, store) => {
    const ids = ['r1', 'r2', 'r3', 'r4', 'r5']
    for (const id of ids) await store.commit(note(), [{ kind: 'request', id, body: request(id) }])
    const refused = { outcome: 'refused', by: 'dsi', at: 2, reason: 'non' } as const
    await store.commit(note(), [
      { kind: 'request', id: 'r3', expects: 1, body: request('r3', refused) },
    ])
    const idsOf = async (query?: Parameters<Store['list']>[1]) =>
      (await store.list('request', query)).map(({ id }) => id)
    t.same(await idsOf(), ['r5', 'r4', 'r3', 'r2', 'r1'])
    t.same(await idsOf({ facet: 'pending' }), ['r5', 'r4', 'r2', 'r1'])
    t.same(await idsOf({ facet: 'refused' }), ['r3'])
    t.same(await idsOf({ limit: 2 }), ['r5', 'r4'])
    t.same(await idsOf({ limit: 2, before: 'r4' }), ['r3', 'r2'])
    t.same(await idsOf({ facet: 'pending', limit: 2, before: 'r4' }), ['r2', 'r1'])
    t.same(await idsOf({ limit: 0 }), [])
    t.equal(await store.count('request'), 5)
    t.equal(await store.count('request', 'pending'), 4)
    t.equal(await store.count('request', 'approved'), 0)
  })

  check('a grant that ends moves from one list to the other', async (t, store) => {
    await store.commit(note(), [{ kind: 'grant', id: 'g', body: grant('g') }])
    t.equal(await store.count('grant', 'active'), 1)
    await store.commit(note(), [{ kind: 'grant', id: 'g', body: grant('g', 5) }])
    t.equal(await store.count('grant', 'active'), 0)
    t.equal((await store.list('grant', { facet: 'ended' }))[0]?.body.endedAt, 5)
  })

  check('a pending request is found under its school, its host and its PC', async (t, store) => {
    const elsewhere = { ...request('r3'), site: '0000000B', host: 'autre.example' as Host }
    await store.commit(note(), [
      { kind: 'request', id: 'r1', body: request('r1') },
      { kind: 'request', id: 'r2', body: request('r2') },
      { kind: 'request', id: 'r3', body: elsewhere },
    ])
    const counts = (...facets: string[]) =>
      Promise.all(facets.map(facet => store.count('request', facet)))
    const all = ['host:jeux.example', 'pending-site:0000000A', 'pending-pc:10.0.0.1']
    t.same(await counts(...all, 'pending-site:0000000B', 'host:autre.example'), [2, 2, 3, 1, 1])
    t.same(
      (await store.list('request', { facet: 'pending-pc:10.0.0.1', limit: 2 })).map(r => r.id),
      ['r3', 'r2'],
    )
    const refused = { outcome: 'refused', by: 'dsi', at: 2, reason: 'non' } as const
    await store.commit(note(), [
      { kind: 'request', id: 'r2', expects: 1, body: request('r2', refused) },
    ])
    t.same(
      await counts(...all, 'pending', 'refused'),
      [2, 1, 2, 2, 1],
      'once decided only its host',
    )
    await store.commit(note(), [{ kind: 'request', id: 'r1', body: null }])
    t.same(await counts(...all, 'pending', 'refused'), [1, 0, 1, 1, 1], 'once removed nowhere')
  })

  check('the sessions of one person are found by the name', async (t, store) => {
    const session = (user: string) => ({ user, csrf: 'x', at: 1, until: 2, seal: '' })
    await store.commit(note(), [
      { kind: 'session', id: 'a', body: session('Claire') },
      { kind: 'session', id: 'b', body: session('Karim') },
    ])
    const found = await store.list('session', { facet: 'user:Claire' })
    t.same(
      found.map(({ id }) => id),
      ['a'],
    )
    t.equal(await store.count('session', 'user:clair'), 0)
  })

  check('without a limit a list ends at 1000 records', async (t, store) => {
    const changes = Array.from({ length: 1_005 }, (_, i) => latest(`k${i}`, 'r'))
    await store.commit(note(), changes)
    t.equal((await store.list('latest')).length, 1_000)
    t.equal((await store.list('latest', { limit: 2_000 })).length, 1_005)
  })

  check('a removed record is gone, and may be made anew', async (t, store) => {
    await store.commit(note(), [latest('k', 'r1')])
    await store.commit(note(), [{ kind: 'latest', id: 'k', expects: 1, body: null }])
    t.equal(await store.get('latest', 'k'), undefined)
    t.equal(await store.count('latest'), 0)
    await store.commit(note(), [{ kind: 'latest', id: 'k', body: null }])
    await store.commit(note(), [latest('k', 'r2', 'absent')])
    t.same((await store.get('latest', 'k'))?.body, { requestId: 'r2' })
  })

  check('any text comes back as it was written', async (t, store) => {
    const odd = `é œ 漢字 🏫 \u202F « » \u0000 \u2028 \uD800 ' " \\ -- ; DROP TABLE document`
    const id = `clé/é'";漢🏫`
    await store.commit({ ...note(), subject: odd, detail: { [odd]: odd } }, [latest(id, odd)])
    t.equal((await store.get('latest', id))?.body.requestId, odd)
    t.equal((await store.list('latest'))[0]?.id, id)
    const [entry] = await store.tail({ limit: 1 })
    t.same(entry?.detail, { [odd]: odd })
  })

  check('any id is a record of its own, found under what it is', async (t, store) => {
    const ids = [
      'a\u0000b',
      'a\u0000',
      'a',
      '\uD800',
      '\uDFFF',
      '\uFFFD',
      'a\\ud800',
      '{a}',
      'a:b',
      '*',
    ]
    const stored = (id: string) => store.get('latest', id)
    await store.commit(
      note(),
      ids.map(id => latest(id, id, 'absent')),
    )
    for (const id of ids) t.same((await stored(id))?.body.requestId, id, JSON.stringify(id))
    const listed = (await store.list('latest')).map(({ id }) => id)
    t.same(new Set(listed), new Set(ids))
    t.equal(listed.length, ids.length)
    t.same(
      (await store.list('latest', { before: listed[3] ?? '' })).map(({ id }) => id),
      listed.slice(4),
    )
    await t.rejects(store.commit(note(), [latest('\uD800', 'x', 'absent')]), {
      code: 'PREAU_CONFLICT',
      params: { id: '\uD800' },
    })
    const facet = 'host:jeux.example'
    const odd = ids.map(id => ({ kind: 'request', id, body: request(id) }) as const)
    await store.commit(note(), odd)
    t.same(new Set((await store.list('request', { facet })).map(({ id }) => id)), new Set(ids))
  })

  check('a body of 200 kB is kept whole', async (t, store) => {
    const large = 'é'.repeat(100_000)
    await store.commit(note(), [latest('k', large)])
    t.equal((await store.get('latest', 'k'))?.body.requestId, large)
  })
}

function conflicts(check: Check): void {
  const conflict = { code: 'PREAU_CONFLICT', params: { kind: 'latest', id: 'k' } }

  check('a change that expects another version is refused and says which', async (t, store) => {
    await store.commit(note(), [latest('k', 'r1')])
    await t.rejects(store.commit(note(), [latest('k', 'r2', 2)]), conflict)
    await t.rejects(store.commit(note(), [latest('k', 'r2', 'absent')]), conflict)
    await t.rejects(
      store.commit(note(), [{ kind: 'latest', id: 'k', expects: 7, body: null }]),
      conflict,
    )
    t.same((await store.get('latest', 'k'))?.body, { requestId: 'r1' })
  })

  check('a change that expects a version of a missing record is refused', async (t, store) => {
    await t.rejects(store.commit(note(), [latest('k', 'r', 1)]), conflict)
    await t.rejects(
      store.commit(note(), [{ kind: 'latest', id: 'k', expects: 1, body: null }]),
      conflict,
    )
    await store.commit(note(), [latest('k', 'r', 'absent')])
    t.equal((await store.get('latest', 'k'))?.version, 1)
  })

  check('when one change is refused none is written, nor its audit entry', async (t, store) => {
    await store.commit(note('first'), [latest('k', 'r1')])
    const changes = [
      latest('a', 'x'),
      { kind: 'latest', id: 'k', body: null },
      latest('b', 'x'),
      latest('b', 'y', 'absent'),
    ] as const
    await t.rejects(store.commit(note('second'), changes), {
      code: 'PREAU_CONFLICT',
      params: { kind: 'latest', id: 'b' },
    })
    t.same(
      (await store.list('latest')).map(({ id, version }) => [id, version]),
      [['k', 1]],
    )
    t.same(
      (await store.tail({ limit: 10 })).map(({ action }) => action),
      ['first'],
    )
  })
}

function audit(check: Check): void {
  check('every commit leaves one audit entry, the newest first, in pages', async (t, store) => {
    for (const action of ['a', 'b', 'c', 'd']) await store.commit(note(action), [])
    const all = await store.tail({ limit: 10 })
    t.same(
      all.map(({ action }) => action),
      ['d', 'c', 'b', 'a'],
    )
    t.ok(all.every(({ seq }, i) => i === 0 || seq < (all[i - 1]?.seq ?? 0)))
    const page = await store.tail({ limit: 2, before: all[1]?.seq ?? 0 })
    t.same(
      page.map(({ action }) => action),
      ['b', 'a'],
    )
  })

  check('audit entries from before an instant are forgotten, and only those', async (t, store) => {
    for (const at of [10, 20, 30]) await store.commit({ by: 'test', action: `at.${at}`, at }, [])
    t.equal(await store.forget(20), 1)
    t.same(
      (await store.tail({ limit: 10 })).map(({ action }) => action),
      ['at.30', 'at.20'],
    )
    t.equal(await store.forget(20), 0)
  })

  check(
    'an afternoon of a clock that was years ahead hides nothing from being forgotten',
    async (t, store) => {
      const [now, day] = [Date.parse('2027-11-23T10:00:00Z'), 86_400_000]
      const at = (when: number): Promise<void> =>
        store.commit({ by: 'test', action: 'test', at: when }, [])
      await Promise.all(Array.from({ length: 600 }, () => at(now + 9 * 365 * day)))
      await at(now - 366 * day)
      await at(now - 364 * day)
      t.equal(await store.forget(now - 365 * day), 1)
    },
  )

  check('nor does a crowd that is a day too young, where a clock was slow', async (t, store) => {
    const [bound, day] = [Date.parse('2026-11-23T10:00:00Z'), 86_400_000]
    const at = (when: number): Promise<void> =>
      store.commit({ by: 'test', action: 'test', at: when }, [])
    await Promise.all(Array.from({ length: 600 }, () => at(bound + day)))
    await at(bound - 1)
    t.equal(await store.forget(bound), 1)
  })

  check('an audit entry keeps who, what, when and the details', async (t, store) => {
    const full: CommitNote = {
      by: 'pc:10.0.0.1',
      action: 'request.open',
      subject: 'jeux.example',
      detail: { site: '0000000A', clicks: 2, isFirst: true, until: null },
      at: 1_795_000_000_123,
    }
    await store.commit(full, [])
    await store.commit(note('bare'), [])
    const [bare, entry] = await store.tail({ limit: 2 })
    t.strictSame({ ...entry, seq: 0 }, { ...full, seq: 0 })
    t.strictSame({ ...bare, seq: 0 }, { ...note('bare'), seq: 0 })
  })
}

function watching(check: Check): void {
  check('whoever watches learns of a commit of the same handle', async (t, store) => {
    const { changed } = nextChange(store)
    await store.commit(note(), [latest('k', 'r')])
    await t.resolves(changed)
  })

  check('whoever watches learns of a commit of another handle', async (t, store, again) => {
    const other = await again()
    const { changed } = nextChange(store)
    await other.commit(note(), [latest('k', 'r')])
    await t.resolves(changed)
    t.ok(await store.get('latest', 'k'), 'and reads what was committed')
  })

  check('a commit between the subscription and its first look is seen', async (t, store, again) => {
    const other = await again()
    for (let round = 0; round < 10; round++) {
      const committed = other.commit(note(), [latest('k', `r${round}`)])
      const { changed, stop } = nextChange(store)
      await committed
      await t.resolves(changed)
      stop()
    }
  })

  for (const [whose, isMixed] of [
    ['own commits', false],
    ['own and foreign commits', true],
  ] as const) {
    check(`of a burst of ${whose} the last one is always told`, async (t, store, again) => {
      const other = isMixed ? await again() : store
      const LAST = 40
      const { promise: sawLast, resolve } = Promise.withResolvers<void>()
      store.watch(() => {
        void store.get('latest', 'k').then(stored => {
          if (stored?.body.requestId === String(LAST)) resolve()
        })
      })
      for (let i = 1; i <= LAST; i++) {
        await (i % 2 === 0 ? other : store).commit(note(), [latest('k', String(i))])
      }
      await t.resolves(sawLast)
    })
  }

  check('who has stopped watching is not called any more', async (t, store) => {
    let calls = 0
    const stop = store.watch(() => calls++)
    const { changed } = nextChange(store)
    stop()
    stop()
    await store.commit(note(), [latest('k', 'r')])
    await changed
    t.equal(calls, 0)
  })
}

function several(check: Check): void {
  check(
    'a revision changes with what it is about, and with nothing else',
    async (t, store, again) => {
      const other = await again()
      const read = () => other.revision(['latest', 'grant'])
      const first = await read()
      await store.commit(note(), [{ kind: 'request', id: 'r', body: request('r') }])
      await store.commit(note(), [])
      t.equal(await read(), first)
      const seen = new Set([first])
      const changes = [
        [latest('k', 'r')],
        [latest('k', 'r')],
        [{ kind: 'request', id: 'r', body: null }, latest('l', 'r')],
        [{ kind: 'latest', id: 'k', body: null }],
      ] satisfies Parameters<Store['commit']>[1][]
      for (const change of changes) {
        await store.commit(note(), change)
        const found = await read()
        t.notOk(seen.has(found), 'it never comes back to what it was')
        seen.add(found)
        t.equal(await read(), found)
      }
      const before = await read()
      await t.rejects(store.commit(note(), [latest('l', 'r', 7)]), { code: 'PREAU_CONFLICT' })
      t.equal(await read(), before)
    },
  )

  check('a store that works says so', async (t, store) => {
    t.equal((await store.check()).isUp, true)
  })

  check('two handles read and write the same data', async (t, store, again) => {
    const other = await again()
    await store.commit(note(), [latest('k', 'r1')])
    t.equal((await other.get('latest', 'k'))?.version, 1)
    await other.commit(note(), [latest('k', 'r2', 1)])
    await t.rejects(store.commit(note(), [latest('k', 'r3', 1)]), { code: 'PREAU_CONFLICT' })
    t.equal((await store.get('latest', 'k'))?.body.requestId, 'r2')
  })

  check('fifty clicks at once on two handles are all counted', async (t, store, again) => {
    const handles = [store, await again()]
    await store.commit(note(), [{ kind: 'request', id: 'r', body: { ...request('r'), clicks: 0 } }])
    await Promise.all(Array.from({ length: 50 }, (_, i) => click(handles[i % 2] ?? store)))
    t.equal((await store.get('request', 'r'))?.body.clicks, 50)
    t.equal((await store.tail({ limit: 100 })).length, 51, 'one audit entry per commit')
  })

  check('data outlives its handle, and a closed handle says so', async (t, store, again) => {
    const pending = store.commit(note(), [latest('k', 'r')])
    await Promise.all([store.close(), store.close()])
    await t.resolves(pending, 'close waits for the commits made before')
    const closed = { code: 'PREAU_STORE_UNAVAILABLE' }
    await t.rejects(store.get('latest', 'k'), closed)
    await t.rejects(store.list('latest'), closed)
    await t.rejects(store.count('latest'), closed)
    await t.rejects(store.tail({ limit: 1 }), closed)
    await t.rejects(store.commit(note(), []), closed)
    await t.rejects(store.permits.take('k', { max: 1, windowMs: 1_000 }), closed)
    t.match(await store.check(), { isUp: false, warnings: [] })
    t.ok(await (await again()).get('latest', 'k'))
  })
}

async function click(store: Store): Promise<void> {
  for (;;) {
    const stored = await store.get('request', 'r')
    if (stored === undefined) throw new Error('the request has vanished')
    const body = { ...stored.body, clicks: stored.body.clicks + 1 }
    try {
      await store.commit(note('click'), [
        { kind: 'request', id: 'r', expects: stored.version, body },
      ])
      return
    } catch (error) {
      if ((error as { code?: string }).code !== 'PREAU_CONFLICT') throw error
    }
  }
}
