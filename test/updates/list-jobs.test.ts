/** Lists are fetched by a process of their own: pages see how far it is, and its death harms nothing. */
import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { WorkState } from '../../src/admin/deps.ts'
import { configSchema } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { createListWork, type ListWorkOptions } from '../../src/updates/list-jobs.ts'
import { DIAL, serveHttp } from './source-server.ts'

const fixture = (name: string): URL => new URL(`fixtures/${name}.ts`, import.meta.url)

async function openWork(t: Test, answer: RequestListener, change: Partial<ListWorkOptions> = {}) {
  const origin = await serveHttp(t, answer)
  const base = { format: 'lines', category: 'games' }
  const sources = [{ name: 'city', url: `${origin}/list.txt`, ...base }]
  const parsed = configSchema.parse({ dataDir: join(t.testdir(), 'data'), lists: { sources } })
  const config = { ...parsed, dial: DIAL }
  const { store } = await install(config, Date.now)
  const warnings: string[] = []
  const work = createListWork({
    store,
    config,
    clock: Date.now,
    seed: 'seed',
    logger: { warn: (_: object, text: string) => void warnings.push(text) } as never,
    ...change,
  })
  const states: (WorkState | undefined)[] = []
  work.onChange(() => states.push(work.current))
  t.teardown(async () => {
    await work.close()
    await store.close()
  })
  return { store, work, states, warnings }
}

type Work = Awaited<ReturnType<typeof openWork>>['work']

/** Until a state of the work is as wished. */
const until = (work: Work, isSo: (state: WorkState | undefined) => boolean): Promise<void> =>
  new Promise(resolve => {
    if (isSo(work.current)) return resolve()
    const stop = work.onChange(() => {
      if (!isSo(work.current)) return
      stop()
      resolve()
    })
  })
const ended = (work: Work): Promise<void> => until(work, state => state === undefined)
const failureOf = async ({ store }: Pick<Awaited<ReturnType<typeof openWork>>, 'store'>) =>
  (await store.get('fetch', 'city'))?.body.failure

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('a source is fetched aside, and a page can follow it', async t => {
  const city = await openWork(t, (_request, response) => void response.end('a.test\nb.test\n'))
  t.equal(city.work.fetch('city', 'alice'), true)
  t.match(city.work.current, { list: 'city', phase: 'download', done: 0, by: 'alice' })
  t.equal(city.work.fetch('city', 'bob'), false, 'one piece of work at a time')
  await ended(city.work)
  const lists = await city.store.get('lists', CURRENT)
  t.match(lists?.body.lists.find(({ name }) => name === 'city')?.counts, { games: 2 })
  t.equal(city.states.at(-1), undefined)
  t.ok(new Set(city.states.map(state => state?.phase)).size > 2, 'several steps were seen')
  t.equal(new Set(city.states.flatMap(state => state?.startedAt ?? [])).size, 1)
  t.strictSame(city.warnings, [])
  t.match(await city.store.tail({ limit: 1 }), [{ action: 'source.fetch', by: 'alice' }])
  t.equal(city.work.fetch('city', 'bob'), true, 'and then the next one')
  await ended(city.work)
})

t.test('a failure is written down once, and told in the log', async t => {
  const city = await openWork(t, (_request, response) => response.writeHead(500).end())
  city.work.fetch('city', 'system')
  await ended(city.work)
  t.match(await failureOf(city), { code: 'PREAU_DOWNLOAD_FAILED', times: 1 })
  t.match(city.warnings, [/could not be fetched/])
  city.work.fetch('nobody', 'system')
  await ended(city.work)
  t.equal((await city.store.list('fetch')).length, 1, 'a source that is gone leaves no trace')
})

t.test('the process that fetches is patient with the ones that serve', async t => {
  let priority = ''
  const city = await openWork(t, (_request, response) => {
    // Only one child of ours runs: the job. Its 19th field is the nice value (proc(5)).
    const own = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    const pid = own.trim().split(' ').at(-1) ?? ''
    priority = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[18] ?? ''
    response.end('a.test\n')
  })
  city.work.fetch('city', 'system')
  await ended(city.work)
  t.equal(priority, '10')
})

t.test('a process that dies without a word is a failure of the source', async t => {
  const city = await openWork(t, () => undefined, { job: fixture('dying-job') })
  city.work.fetch('city', 'system')
  await ended(city.work)
  t.match(await failureOf(city), {
    code: 'PREAU_INTERNAL',
    times: 1,
    params: { detail: { fr: /SIGKILL/, en: /SIGKILL/ } },
  })
  t.match(city.warnings, [/died/])
  t.ok(city.work.fetch('city', 'system'), 'and the next one may start')
  await ended(city.work)
  t.equal((await failureOf(city))?.times, 2)
})

t.test('a process that never ends is ended', async t => {
  const job = fixture('endless-job')
  const city = await openWork(t, () => undefined, { job, timeLimitMs: 1_500 })
  city.work.fetch('city', 'system')
  await until(city.work, state => state?.phase !== 'download')
  const pid = city.work.current?.done ?? 0
  await ended(city.work)
  t.match(await failureOf(city), { params: { detail: { fr: /pas terminé/ } } })
  t.notOk(isAlive(pid))
})

t.test('stopping Préau ends the work, and blames nobody for it', async t => {
  const city = await openWork(t, () => undefined, { job: fixture('endless-job') })
  city.work.fetch('city', 'system')
  await until(city.work, state => state?.phase === 'read')
  t.match(city.work.current, { phase: 'read', total: 9_999_999 })
  const pid = city.work.current?.done ?? 0
  await city.work.close()
  t.notOk(isAlive(pid))
  t.equal(await failureOf(city), undefined)
  t.equal(city.work.fetch('city', 'system'), false, 'nothing new begins')
})
