/** What a worker counts: every exchange once, every limit by its name, and nothing that a client could make grow. */
import t from 'tap'
import { globSync, readFileSync } from 'node:fs'
import { limitsSchema } from '../../src/config-limits.ts'
import type { Sample } from '../../src/metrics.ts'
import { LimitTally } from '../../src/admin/limit-tally.ts'
import { FAILURES, Tally } from '../../src/main/tally.ts'

const CATEGORIES = ['games', 'adult', 'shopping']
const NO_BYTES = { bytesUp: 0, bytesDown: 0 }

/** `name label=value` to value. */
const read = (samples: readonly Sample[]): Map<string, number> =>
  new Map(
    samples.map(({ name, labels = {}, value }) => [
      [name.replace(/^preau_/, ''), ...Object.values(labels)].join(' '),
      value,
    ]),
  )

/** Only what is not zero. */
const counted = (tally: Tally): Record<string, number> =>
  Object.fromEntries([...read(tally.samples())].filter(([, value]) => value !== 0))

t.test(
  'an exchange is counted by its verdict, its category, its failure and its bytes',
  async t => {
    const tally = new Tally(CATEGORIES)
    const allow = { action: 'allow', reason: 'default' } as const
    const block = {
      action: 'block',
      reason: 'blocked-category',
      category: 'games',
      requestable: true,
    } as const
    tally.count({ verdict: allow, failure: undefined }, { bytesUp: 100, bytesDown: 5_000 })
    tally.count({ verdict: allow, failure: 'PREAU_DIAL_TIMEOUT' }, { bytesUp: 50, bytesDown: 20 })
    tally.count({ verdict: block, failure: undefined }, NO_BYTES)
    tally.count({ verdict: block, failure: undefined }, NO_BYTES)
    const warn = {
      ...block,
      action: 'warn',
      reason: 'warned-category',
      category: 'shopping',
    } as const
    tally.count({ verdict: warn, failure: undefined }, NO_BYTES)
    const closed = { action: 'block', reason: 'closed-hours', requestable: true } as const
    tally.count({ verdict: closed, failure: undefined }, NO_BYTES)
    tally.count({ verdict: undefined, failure: 'PREAU_BAD_TARGET' }, NO_BYTES)
    tally.issuedLeaf()
    t.strictSame(counted(tally), {
      'exchanges_total allow default': 2,
      'exchanges_total warn warned-category': 1,
      'exchanges_total block closed-hours': 1,
      'exchanges_total block blocked-category': 2,
      'exchanges_total none none': 1,
      'refusals_total games': 2,
      'refusals_total shopping': 1,
      'exchange_failures_total PREAU_BAD_TARGET': 1,
      'exchange_failures_total PREAU_DIAL_TIMEOUT': 1,
      'client_bytes_total up': 150,
      'client_bytes_total down': 5_020,
      leaf_certificates_total: 1,
    })
  },
)

t.test(
  'whatever has not happened yet is told as 0, so that its first time is an increase',
  async t => {
    const samples = read(new Tally(CATEGORIES).samples())
    for (const name of [
      'exchanges_total allow grant',
      'exchanges_total warn warned-category',
      'exchanges_total block never-grantable',
      'exchanges_total none none',
      'refusals_total adult',
      'exchange_failures_total PREAU_OVERLOADED',
      'limits_reached_total connections',
    ])
      t.equal(samples.get(name), 0, name)
  },
)

t.test('every code that an exchange can fail with is told from the start', async t => {
  const raised = globSync('src/proxy/*.ts').flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/'(PREAU_[A-Z_]+)'/g)].map(match => match[1]),
  )
  t.strictSame(new Set(raised), new Set(FAILURES))
})

/** Limits that are told under another name, or that nobody runs into. */
const TOLD_ELSEWHERE: Readonly<Record<string, string>> = {
  dialTimeoutMs: 'exchange_failures_total PREAU_DIAL_TIMEOUT',
}
const NOBODY_RUNS_INTO: Readonly<Record<string, string>> = {
  keepAliveTimeoutMs: 'the usual end of an idle connection: nothing is refused',
  drainTimeoutMs: 'the end of the process itself',
  handoverTimeoutMs: 'the end of the process itself',
  orphanTimeoutMs: 'the end of the process itself',
  heartbeatTimeoutMs: 'the supervisor counts it as a restart',
  askAgainMinutes: 'the page says from when on one may ask again',
  dnsCacheEntries: 'the oldest entry makes room',
  dnsTtlMs: 'an answer is asked for again',
  categoryCacheEntries: 'the oldest entry makes room',
  leafCertificates: 'the oldest entry makes room',
  acknowledgeMinutes: 'a warning is shown again',
  sessionMinutes: 'the usual end of a session',
  loginLockMinutes: 'how long the one before lasts',
  requestRetentionDays: 'housekeeping',
  accessLogRetentionDays: 'housekeeping',
}

t.test('every limit of the configuration that a client can reach has a sample', async t => {
  const samples = read([...new Tally(CATEGORIES).samples(), ...new LimitTally().samples()])
  for (const limit of Object.keys(limitsSchema.shape)) {
    if (limit in NOBODY_RUNS_INTO) continue
    t.equal(samples.get(TOLD_ELSEWHERE[limit] ?? `limits_reached_total ${limit}`), 0, limit)
  }
})

t.test('a limit that was reached is counted by its key', async t => {
  const tally = new Tally(CATEGORIES)
  for (let i = 0; i < 3; i++) tally.reached('connectionsPerClient')
  tally.reached('pendingPerPc')
  t.strictSame(counted(tally), {
    'limits_reached_total connectionsPerClient': 3,
    'limits_reached_total pendingPerPc': 1,
  })
})

t.test('a tally that is asked again and again neither loses nor repeats anything', async t => {
  const tally = new Tally(CATEGORIES)
  const before = tally.samples().length
  for (let i = 1; i <= 5; i++) {
    tally.reached('connections')
    t.equal(read(tally.samples()).get('limits_reached_total connections'), i)
  }
  t.equal(tally.samples().length, before)
})
