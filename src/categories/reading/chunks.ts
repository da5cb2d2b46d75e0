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

/** Text as UTF-8: an editor of Windows saves UTF-16, and says so by the mark that it begins with (RFC 2781 §3.2). */
export async function* asUtf8(chunks: Chunks): Chunks {
  let head: Uint8Array | undefined = new Uint8Array(0)
  let decoder: TextDecoder | undefined
  for await (const chunk of chunks) {
    let bytes = chunk
    if (head !== undefined) {
      bytes = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      head = bytes.length < 2 ? bytes : undefined
      if (head !== undefined) continue
      decoder = decoderOf(bytes)
    }
    yield decoder === undefined ? bytes : Buffer.from(decoder.decode(bytes, { stream: true }))
  }
  if (head !== undefined) yield head
  if (decoder !== undefined) yield Buffer.from(decoder.decode())
}

function decoderOf([first, second]: Uint8Array): TextDecoder | undefined {
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le')
  return first === 0xfe && second === 0xff ? new TextDecoder('utf-16be') : undefined
}

/** Passes text on, and throws what `refuse` makes at the first byte that no text holds. */
export async function* onlyText(chunks: Chunks, refuse: () => Error): Chunks {
  for await (const chunk of chunks) {
    if (chunk.includes(0)) throw refuse()
    yield chunk
  }
}
