import t from 'tap'
import type { Hours } from '../src/policy/schedule.ts'
import { sayHours, sayMoment } from '../src/spoken-hours.ts'

const PARIS = 'Europe/Paris'
const at = (text: string): number => Date.parse(text)

t.test('hours are said as people say them', async t => {
  const rows: [Hours[number], string, string][] = [
    [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' },
      'du lundi au vendredi de 08:00 à 18:00',
      'Monday to Friday from 08:00 to 18:00',
    ],
    [
      { days: ['thu', 'sun', 'mon', 'tue', 'wed'], from: '21:00', to: '06:00' },
      'du dimanche au jeudi de 21:00 à 06:00 le lendemain',
      'Sunday to Thursday from 21:00 to 06:00 the next day',
    ],
    [
      { days: ['fri', 'mon', 'tue', 'thu'], from: '08:30', to: '24:00' },
      'les lundi, mardi, jeudi et vendredi de 08:30 à minuit',
      'on Monday, Tuesday, Thursday and Friday from 08:30 to midnight',
    ],
    [
      { days: ['sat', 'sun', 'mon', 'tue', 'wed', 'thu', 'fri'], from: '20:00', to: '00:00' },
      'tous les jours de 20:00 à minuit',
      'every day from 20:00 to midnight',
    ],
    [
      { days: ['wed'], from: '13:00', to: '17:00' },
      'le mercredi de 13:00 à 17:00',
      'on Wednesday from 13:00 to 17:00',
    ],
    [
      { days: ['sat', 'sun'], from: '09:00', to: '12:00' },
      'les samedi et dimanche de 09:00 à 12:00',
      'on Saturday and Sunday from 09:00 to 12:00',
    ],
  ]
  for (const [window, fr, en] of rows) {
    t.same(sayHours([window], 'fr'), [fr])
    t.same(sayHours([window], 'en'), [en])
  }
})

t.test('when it opens is said from where the reader stands in the week', async t => {
  const now = at('2026-11-27T22:30:00+01:00')
  const rows: [string, string, string][] = [
    ['2026-11-27T23:00:00+01:00', 'aujourd’hui à 23:00', 'today at 23:00'],
    ['2026-11-28T00:15:00+01:00', 'demain, samedi, à 00:15', 'tomorrow, Saturday, at 00:15'],
    ['2026-11-30T08:00:00+01:00', 'lundi à 08:00', 'on Monday at 08:00'],
    ['2026-12-04T08:00:00+01:00', 'le 4 décembre à 08:00', 'on 4 December at 08:00'],
  ]
  for (const [text, fr, en] of rows) {
    t.equal(sayMoment(at(text), now, PARIS, 'fr'), fr)
    t.equal(sayMoment(at(text), now, PARIS, 'en'), en)
  }
  const before = at('2026-10-24T23:30:00+02:00')
  const after = at('2026-10-25T23:30:00+01:00')
  t.equal(
    sayMoment(after, before, PARIS, 'fr'),
    'demain, dimanche, à 23:30',
    'a day of 25 hours between',
  )
})
