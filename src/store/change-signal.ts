/** "Something changed", told to those who watch: at once when it was quiet, and at most once per window in a burst. */

const WINDOW_MS = 25

interface Listener {
  readonly onChange: () => void
}

export class ChangeSignal {
  readonly #listeners = new Set<Listener>()
  #window: NodeJS.Timeout | undefined
  #isMissed = false

  get isHeard(): boolean {
    return this.#listeners.size > 0
  }

  /** Returns the function that stops it; the same callback may listen several times. */
  listen(onChange: () => void): () => void {
    const listener = { onChange }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  raise(): void {
    if (!this.isHeard) return
    if (this.#window !== undefined) {
      this.#isMissed = true
      return
    }
    this.#window = setTimeout(() => this.#endWindow(), WINDOW_MS)
    for (const listener of this.#listeners) {
      // A task each: one that throws keeps the change from nobody else.
      setImmediate(() => {
        if (this.#listeners.has(listener)) listener.onChange()
      })
    }
  }

  #endWindow(): void {
    this.#window = undefined
    if (!this.#isMissed) return
    this.#isMissed = false
    this.raise()
  }

  close(): void {
    clearTimeout(this.#window)
    this.#window = undefined
    this.#listeners.clear()
  }
}
