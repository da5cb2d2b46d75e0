/** ClientHellos made by hand, right and wrong ones. */

/** Type and body. */
export type Extension = readonly [number, Buffer]

const uint16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255])

export interface HelloParts {
  readonly extensions: readonly Extension[]
  /** In place of what `extensions` would give. */
  readonly extensionBytes?: Buffer
  readonly type?: number
}

/** One record (several where it is too long for one). */
export function hello({ extensions, extensionBytes, type = 1 }: HelloParts): Buffer {
  const list =
    extensionBytes ??
    Buffer.concat(extensions.flatMap(([id, body]) => [uint16(id), uint16(body.length), body]))
  const body = Buffer.concat([
    uint16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    uint16(2),
    uint16(0x1301),
    Buffer.from([1, 0]),
    uint16(list.length),
    list,
  ])
  const head = Buffer.from([type, body.length >> 16, (body.length >> 8) & 255, body.length & 255])
  return cut(Buffer.concat([head, body]), 16_384)
}

export function serverName(name: string): Extension {
  const bytes = Buffer.from(name, 'latin1')
  const entry = Buffer.concat([Buffer.from([0]), uint16(bytes.length), bytes])
  return [0, Buffer.concat([uint16(entry.length), entry])]
}

/** The same message, in records of `size` bytes each. */
export function inRecords(record: Buffer, size: number): Buffer {
  return cut(record.subarray(5), size)
}

function cut(message: Buffer, size: number): Buffer {
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1]), uint16(part.length), part)
  }
  return Buffer.concat(records)
}
