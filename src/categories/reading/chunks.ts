/** What may be asked of a stream of bytes that is read once, without holding it. */

export type Chunks = AsyncIterable<Uint8Array>

const LINE_FEED = 0x0a

/** Reads to the end. */
export async function countLines(chunks: Chunks): Promise<number> {
  let lines = 0
  for await (const chunk of chunks) {
    let at = chunk.indexOf(LINE_FEED)
    for (; at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) lines++
  }
  return lines
}

/** The whole of a short file; undefined as soon as it proves longer than `max`. */
export async function readShort(chunks: Chunks, max: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > max) return undefined
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Passes text on, and throws what `refuse` makes at the first byte that no text holds. */
export async function* onlyText(chunks: Chunks, refuse: () => Error): Chunks {
  for await (const chunk of chunks) {
    if (chunk.includes(0)) throw refuse()
    yield chunk
  }
}
