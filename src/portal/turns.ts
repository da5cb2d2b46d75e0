/** Work that must not overlap: for each key one piece after the other, in the order it came. */

export class Turns {
  /** The last piece by key; as many entries as there are connections waiting for one, at most. */
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` once all that came before under this key has ended, well or not. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const settled = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key)
      })
    this.#last.set(key, settled)
    return turn
  }
}
