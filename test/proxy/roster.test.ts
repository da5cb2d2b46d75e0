/** A roster holds what a Set would, however members come and go. */
import t from 'tap'
import * as fc from 'fast-check'
import { Roster, type Seated } from '../../src/proxy/roster.ts'

const NAMES = 12
const step = fc.record({ name: fc.nat(NAMES - 1), isComing: fc.boolean() })

t.test('whoever comes and goes, those are in it that have come and not gone', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const members = Array.from({ length: NAMES }, (): Seated => ({ seat: -1 }))
      const roster = new Roster<Seated>()
      const naive = new Set<Seated>()
      for (const { name, isComing } of steps) {
        const member = members[name] as Seated
        if (!isComing) {
          roster.delete(member)
          naive.delete(member)
        } else if (!naive.has(member)) {
          roster.add(member)
          naive.add(member)
        }
        const seen = new Set<Seated>()
        roster.forEach(each => seen.add(each))
        if (roster.size !== naive.size || seen.symmetricDifference(naive).size > 0) return false
      }
      return members.every(member => naive.has(member) === (member.seat !== -1))
    }),
  )
})

t.test('members may leave while all are visited: nobody is skipped', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.array(fc.nat(29)), (count, leaving) => {
      const members = Array.from({ length: count }, (): Seated => ({ seat: -1 }))
      const roster = new Roster<Seated>()
      for (const member of members) roster.add(member)
      const seen = new Set<Seated>()
      const left = new Set<Seated>()
      let turn = 0
      roster.forEach(member => {
        if (left.has(member)) throw new Error('visited after it left')
        seen.add(member)
        const other = members[(leaving[turn++] ?? -1) % count]
        if (other === undefined) return
        roster.delete(other)
        left.add(other)
      })
      return members.every(member => seen.has(member) || left.has(member))
    }),
  )
})
