/** Counts the commands in what a client sends to Redis (RESP2 arrays of bulk strings), however the bytes are cut. */
export class CommandCounter {
  #rest = Buffer.alloc(0)
  /** Strings that the command under way still misses. */
  #missing = 0

  /** Whether a command has begun and not ended. */
  get isMidway(): boolean {
    return this.#missing > 0 || this.#rest.length > 0
  }

  /** Answers how many commands are complete with this chunk. */
  feed(chunk: Buffer): number {
    this.#rest = Buffer.concat([this.#rest, chunk])
    let count = 0
    for (;;) {
      const end = this.#rest.indexOf('\r\n')
      if (end === -1) return count
      const size = Number(this.#rest.toString('latin1', 1, end))
      if (this.#missing === 0) {
        this.#missing = size
        this.#rest = this.#rest.subarray(end + 2)
        continue
      }
      if (this.#rest.length < end + 2 + size + 2) return count
      this.#rest = this.#rest.subarray(end + 2 + size + 2)
      this.#missing -= 1
      if (this.#missing === 0) count += 1
    }
  }
}
