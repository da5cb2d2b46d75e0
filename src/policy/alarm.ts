/** Something the city's IT department must know and act on; it stands on the first page until it is over. */
export interface Alarm {
  /** `index-damaged`: an index file could not be used, the previous one is in force. */
  readonly kind: 'index-damaged'
  /** What it is about, e.g. the name of the file. */
  readonly subject: string
  readonly detail: string
  /** Epoch ms. */
  readonly at: number
}
