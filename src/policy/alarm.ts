/** Something the city's IT department must know and act on; it stands on the first page until it is over. */
export interface Alarm {
  readonly kind: AlarmKind
  /** What it is about, e.g. the name of the file. */
  readonly subject: string
  /** The machine that has noticed it; absent where it concerns all, or was raised by an older Préau. */
  readonly machine?: string
  readonly detail: string
  /** Epoch ms. */
  readonly at: number
}

export type AlarmKind =
  /** An index file could not be used, the previous one is in force. */
  | 'index-damaged'
  /** A machine still lacks the index of the version in force, and goes on with an older one. */
  | 'lists-late'
  /** A file in the shared store is not what its checksum says. */
  | 'shared-file-damaged'
