import t from 'tap'
import {
  civilDate,
  compileHours,
  endOfDay,
  hoursSchema,
  isTimeZone,
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
  for (const [text, expected] of rows) t.equal(isOpen(at(text)), expected, text)
})

t.test('hours that make no sense are refused', async t => {
  for (const bad of [
    [{ days: [], from: '08:00', to: '09:00' }],
    [{ days: ['mon'], from: '9:00', to: '10:00' }],
    [{ days: ['mon'], from: '10:00', to: '10:00' }],
    [{ days: ['lundi'], from: '08:00', to: '09:00' }],
    [{ days: ['mon'], from: '08:00', to: '25:00' }],
  ]) {
    t.notOk(hoursSchema.safeParse(bad).success, JSON.stringify(bad))
  }
  t.ok(isTimeZone(PARIS))
  t.notOk(isTimeZone('Europe/Pari'))
  // Found by `npm run fuzz`: Temporal takes these, and every page with a time on it would then fail.
  t.notOk(isTimeZone('2026-01-01T00:00[Europe/Paris]'))
  t.notOk(isTimeZone('2026-01-01T00:00Z'))
})
