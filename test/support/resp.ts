/** Finds the commands in what a client sends to Redis (RESP2 arrays of bulk strings), however the bytes are cut. */
export class CommandReader {
  #rest = Buffer.alloc(0)
  /** Bytes of `#rest` that have been looked at. */
  #at = 0
  /** Strings that the command under way still misses. */
  #missing = 0

  /** Whether a command has begun and not ended. */
  get isMidway(): boolean {
    return this.#rest.length > 0
  }

  /** Answers the commands that are complete with this chunk, as they were sent. */
  feed(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const commands: Buffer[] = []
    for (;;) {
      const end = this.#rest.indexOf('\r\n', this.#at)
      if (end === -1) return commands
      const size = Number(this.#rest.toString('latin1', this.#at + 1, end))
      if (this.#missing === 0) {
        this.#missing = size
        this.#at = end + 2
        continue
      }
      if (this.#rest.length < end + 2 + size + 2) return commands
      this.#at = end + 2 + size + 2
      this.#missing -= 1
      if (this.#missing > 0) continue
      commands.push(this.#rest.subarray(0, this.#at))
      this.#rest = this.#rest.subarray(this.#at)
      this.#at = 0
    }
  }
}
