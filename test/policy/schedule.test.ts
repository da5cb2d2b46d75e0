import t from 'tap'
import {
  civilDate,
  compileHours,
  DAYS,
  endOfDay,
  hoursSchema,
  isTimeZone,
  type Hours,
} from '../../src/policy/schedule.ts'

const PARIS = 'Europe/Paris'
const at = (text: string) => Date.parse(text)

t.test('the end of a day is the civil midnight of the city', async t => {
  t.equal(endOfDay(at('2026-11-23T10:00:00+01:00'), PARIS), at('2026-11-24T00:00:00+01:00'))
  t.equal(endOfDay(at('2026-11-23T23:59:59+01:00'), PARIS), at('2026-11-24T00:00:00+01:00'))
  t.equal(
    endOfDay(at('2026-10-25T01:00:00+02:00'), PARIS),
    at('2026-10-26T00:00:00+01:00'),
    'a day of 25 hours',
  )
  t.equal(
    endOfDay(at('2026-03-29T01:00:00+01:00'), PARIS),
    at('2026-03-30T00:00:00+02:00'),
    'a day of 23 hours',
  )
  t.equal(civilDate(at('2026-11-23T23:30:00Z'), PARIS), '2026-11-24')
})

t.test('opening hours are read in the time zone of the city, summer and winter', async t => {
  const isOpen = compileHours([{ days: ['mon', 'tue'], from: '08:00', to: '18:00' }], PARIS)
  const rows: [string, boolean][] = [
    ['2026-11-23T07:59:59+01:00', false],
    ['2026-11-23T08:00:00+01:00', true],
    ['2026-11-23T17:59:59+01:00', true],
    ['2026-11-23T18:00:00+01:00', false],
    ['2026-11-25T10:00:00+01:00', false],
    ['2026-07-06T08:00:00+02:00', true],
    ['2026-07-06T07:00:00+02:00', false],
  ]
  for (const [text, expected] of rows) t.equal(isOpen(at(text)).isOpen, expected, text)
})

/** Every minute of a stretch: the instants at which it opens and closes, as `+` and `-` with the time in UTC. */
function changes(hours: Hours, from: string, to: string): string[] {
  const openingAt = compileHours(hoursSchema.parse(hours), PARIS)
  const told: string[] = []
  let before: boolean | undefined
  for (let now = at(from); now <= at(to); now += 60_000) {
    const { isOpen } = openingAt(now)
    if (before !== undefined && isOpen !== before)
      told.push(`${isOpen ? '+' : '-'}${new Date(now).toISOString().slice(0, 16)}Z`)
    before = isOpen
  }
  return told
}
const NIGHT: Hours = [{ days: ['sat', 'sun'], from: '21:00', to: '06:00' }]
const EVERY = [...DAYS]

t.test('a boarding school is open past midnight: the night belongs to its first day', async t => {
  t.same(changes(NIGHT, '2026-11-20T12:00:00Z', '2026-11-24T12:00:00Z'), [
    '+2026-11-21T20:00Z',
    '-2026-11-22T05:00Z',
    '+2026-11-22T20:00Z',
    '-2026-11-23T05:00Z',
  ])
})

t.test('on both Sundays of the clocks a night opens once and closes once', async t => {
  const autumn = ['2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'] as const
  const spring = ['2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'] as const
  // 02:00 to 03:00 comes twice, and then not at all.
  t.same(changes(NIGHT, ...autumn), ['+2026-10-24T19:00Z', '-2026-10-25T05:00Z'], 'ten hours')
  t.same(changes(NIGHT, ...spring), ['+2026-03-28T20:00Z', '-2026-03-29T04:00Z'], 'eight hours')
  const until: Hours = [{ days: ['sat'], from: '21:00', to: '02:30' }]
  t.same(changes(until, ...autumn), ['+2026-10-24T19:00Z', '-2026-10-25T00:30Z'], 'first 02:30')
  t.same(changes(until, ...spring), ['+2026-03-28T20:00Z', '-2026-03-29T01:00Z'], 'at 03:00')
  const since: Hours = [{ days: ['sun'], from: '02:30', to: '07:00' }]
  t.same(changes(since, ...autumn), ['+2026-10-25T00:30Z', '-2026-10-25T06:00Z'], 'first 02:30')
  t.same(changes(since, ...spring), ['+2026-03-29T01:00Z', '-2026-03-29T05:00Z'], 'at 03:00')
  const within: Hours = [{ days: ['sun'], from: '02:10', to: '02:50' }]
  t.same(changes(within, ...spring), [], 'an opening within the hour that is left out')
})

t.test('windows that touch or overlap are one opening', async t => {
  const hours: Hours = [
    { days: EVERY, from: '21:00', to: '24:00' },
    { days: EVERY, from: '00:00', to: '06:00' },
    { days: ['tue'], from: '05:00', to: '08:00' },
    { days: ['wed'], from: '20:00', to: '00:00' },
  ]
  t.same(changes(hours, '2026-11-24T00:00:00Z', '2026-11-25T22:30:00Z'), [
    '-2026-11-24T07:00Z',
    '+2026-11-24T20:00Z',
    '-2026-11-25T05:00Z',
    '+2026-11-25T19:00Z',
  ])
})

t.test('whoever meets closed hours can be told when it opens next', async t => {
  const openingAt = compileHours(NIGHT, PARIS)
  const noon = at('2026-11-25T12:00:00Z')
  t.same(openingAt(noon), { isOpen: false, opensAt: at('2026-11-28T20:00:00Z') })
  t.same(openingAt(at('2026-11-28T23:00:00Z')), { isOpen: true })
  t.same(openingAt(noon).opensAt, at('2026-11-28T20:00:00Z'), 'a clock may be set back')
  t.same(compileHours([], PARIS)(noon), { isOpen: false }, 'it never opens')
  const monday = compileHours([{ days: ['mon'], from: '08:00', to: '09:00' }], PARIS)
  t.same(monday(at('2026-11-23T08:30:00Z')).opensAt, at('2026-11-30T07:00:00Z'), 'in a week')
})

t.test('hours that make no sense are refused', async t => {
  for (const bad of [
    [{ days: [], from: '08:00', to: '09:00' }],
    [{ days: ['mon'], from: '9:00', to: '10:00' }],
    [{ days: ['mon'], from: '10:00', to: '10:00' }],
    [{ days: ['lundi'], from: '08:00', to: '09:00' }],
    [{ days: ['mon'], from: '08:00', to: '25:00' }],
    [{ days: ['mon'], from: '24:00', to: '06:00' }],
    Array.from({ length: 51 }, () => ({ days: ['mon'], from: '08:00', to: '09:00' })),
  ]) {
    t.notOk(hoursSchema.safeParse(bad).success, JSON.stringify(bad))
  }
  t.ok(isTimeZone(PARIS))
  t.notOk(isTimeZone('Europe/Pari'))
  // Found by `npm run fuzz`: Temporal takes these, and every page with a time on it would then fail.
  t.notOk(isTimeZone('2026-01-01T00:00[Europe/Paris]'))
  t.notOk(isTimeZone('2026-01-01T00:00Z'))
})
