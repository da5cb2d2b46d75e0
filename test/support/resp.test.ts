/** The relays between Préau and its Redis must see whole commands, or they would test something else. */
import t from 'tap'
import { CommandReader } from './resp.ts'

t.test('commands for Redis are found however their bytes are cut', async t => {
  const sent = ['*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n', '*1\r\n$4\r\nPING\r\n']
  const bytes = Buffer.from(sent.join(''))
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new CommandReader()
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      found.push(...reader.feed(bytes.subarray(at, at + size)).map(String))
    t.strictSame(found, sent, `in pieces of ${size}`)
    t.notOk(reader.isMidway)
  }
})
