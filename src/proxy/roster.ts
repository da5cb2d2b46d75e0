/**
 * What comes and goes by the thousand, in one dense array. A Map or a Set in its place links every table that it outgrows
 * to the next one, so that a dead table in the old generation keeps closed sockets alive: V8 then copied 3 kB of garbage
 * for each tunnel that had passed.
 */

/** What can stand in one roster. */
export interface Seated {
  /** Its place, kept by the roster; -1: none. */
  seat: number
}

export class Roster<Member extends Seated> {
  readonly #members: Member[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: Member): void {
    member.seat = this.#members.push(member) - 1
  }

  /** Does nothing for what is not in it. */
  delete(member: Member): void {
    const last = this.#members.at(-1)
    if (member.seat === -1 || last === undefined) return
    this.#members[member.seat] = last
    last.seat = member.seat
    this.#members.pop()
    member.seat = -1
  }

  /** In no order. A visit may delete members; where it deletes others than its own, one may be visited twice. */
  forEach(visit: (member: Member) => void): void {
    for (let i = this.#members.length - 1; i >= 0; i--) {
      const member = this.#members[i]
      if (member !== undefined) visit(member)
    }
  }
}
