/** What the counters of every store promise: rate limits and sign-in locks that hold for all processes together. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Permits } from '../../src/store/store.ts'
import type { Check } from './store.ts'

const HOUR_MS = 3_600_000

/** Takes until one is refused or `times` are taken; answers how many were. */
async function takeAll(permits: Permits, key: string, max: number, times: number) {
  let taken = 0
  for (let i = 0; i < times; i++)
    if ((await permits.take(key, { max, windowMs: HOUR_MS })).isTaken) taken += 1
  return taken
}

export function permitContract(check: Check): void {
  check('so many permits are given as the rule has, and no more', async (t, { permits }) => {
    const rule = { max: 3, windowMs: HOUR_MS }
    for (const taken of [1, 2, 3])
      t.match(await permits.take('clicks/10.0.0.1', rule), { isTaken: true, taken })
    const refused = await permits.take('clicks/10.0.0.1', rule)
    t.match(refused, { isTaken: false, taken: 3 })
    t.ok(refused.leftMs > HOUR_MS - 60_000 && refused.leftMs <= HOUR_MS, 'and says for how long')
    t.match(await permits.take('clicks/10.0.0.2', rule), { isTaken: true, taken: 1 }, 'each key')
    t.match(await permits.take('none', { max: 0, windowMs: HOUR_MS }), { isTaken: false, taken: 0 })
  })

  check('a permit given back can be taken again, once', async (t, { permits }) => {
    t.equal(await takeAll(permits, 'k', 2, 5), 2)
    await permits.giveBack('k')
    t.equal(await takeAll(permits, 'k', 2, 5), 1)
    for (let i = 0; i < 5; i++) await permits.giveBack('k')
    await permits.giveBack('never taken')
    t.equal(await takeAll(permits, 'k', 2, 5), 2, 'giving back too often makes no more of them')
    t.equal(await takeAll(permits, 'never taken', 2, 5), 2)
  })

  check('a key that is cleared begins anew', async (t, { permits }) => {
    t.equal(await takeAll(permits, 'k', 2, 3), 2)
    await permits.clear('k')
    await permits.clear('never taken')
    t.equal(await takeAll(permits, 'k', 2, 3), 2)
  })

  check('a window ends, counted from the first permit taken', async (t, { permits }) => {
    const rule = { max: 2, windowMs: 400 }
    await permits.take('k', rule)
    await wait(250)
    t.ok((await permits.take('k', rule)).leftMs <= 150, 'the second take does not prolong it')
    await wait(200)
    t.match(await permits.take('k', rule), { isTaken: true, taken: 1 })
  })

  check('a sliding window counts from the last permit taken', async (t, { permits }) => {
    const rule = { max: 2, windowMs: 400, isSliding: true }
    await permits.take('k', rule)
    await wait(250)
    t.ok((await permits.take('k', rule)).leftMs > 300, 'the second take begins it anew')
    await wait(200)
    const refused = await permits.take('k', rule)
    t.match(refused, { isTaken: false, taken: 2 })
    t.ok(refused.leftMs <= 200, 'a refused one does not')
    await wait(refused.leftMs + 20)
    t.match(await permits.take('k', rule), { isTaken: true, taken: 1 })
  })

  check('two handles that take at once get no more together', async (t, store, again) => {
    const handles = [store, await again()]
    const takes = Array.from({ length: 60 }, (_, i) =>
      (handles[i % 2] ?? store).permits.take('k', { max: 25, windowMs: HOUR_MS }),
    )
    t.equal((await Promise.all(takes)).filter(({ isTaken }) => isTaken).length, 25)
  })

  check('a window of a fraction of a millisecond ends, too', async (t, { permits }) => {
    t.match(await permits.take('k', { max: 1, windowMs: 20.5 }), { isTaken: true })
    await wait(40)
    t.match(await permits.take('k', { max: 1, windowMs: 0.1 }), { isTaken: true })
  })

  check('a permit of any name, and no record beside it', async (t, store) => {
    const odd = `é漢🏫 \u0000 \uD800 ' " \\ {tag} *`
    t.equal(await takeAll(store.permits, odd, 1, 2), 1)
    t.equal(await takeAll(store.permits, `${odd}.`, 1, 2), 1)
    t.same(await store.tail({ limit: 10 }), [], 'it leaves nothing in the audit log')
  })

  check('permits wake nobody who watches', async (t, store, again) => {
    const other = await again()
    let calls = 0
    const ready = Promise.withResolvers<void>()
    const stop = store.watch(() => {
      calls += 1
      ready.resolve()
    })
    await other.commit({ by: 'test', action: 'test', at: 1 }, [])
    await ready.promise
    await wait(300)
    calls = 0
    for (let i = 0; i < 20; i++) await other.permits.take('k', { max: 100, windowMs: HOUR_MS })
    await wait(300)
    t.equal(calls, 0)
    stop()
  })
}
