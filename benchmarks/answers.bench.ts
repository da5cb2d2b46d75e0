/** What does a client get of an origin that keeps no rule? Each odd answer of the test suite, through Préau and through squid. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { ODD_ANSWERS, readOutcome } from '../test/support/odd-answers.ts'
import type { Contestant } from './support/contestants/contestant.ts'
import { startSquid } from './support/contestants/peers.ts'
import { startPreau } from './support/contestants/preau.ts'
import { ask } from './support/question.ts'
import { report } from './support/report.ts'

const PATIENCE_MS = 5_000

/** What one gives of an answer that an origin says once and then ends. */
async function outcomeOf({ port, authority }: Contestant, says: string): Promise<string> {
  const origin = createServer(socket =>
    socket.on('error', () => undefined).once('data', () => socket.end(says, 'latin1')),
  ).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const host = authority((origin.address() as AddressInfo).port)
  const client = connect(port, '127.0.0.1').on('error', () => undefined)
  client.write(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  client.setTimeout(PATIENCE_MS, () => client.destroy(new Error('silent')))
  let text = ''
  client.on('data', chunk => (text += chunk.toString('latin1')))
  const [isBroken] = (await once(client, 'close')) as [boolean]
  origin.close()
  return readOutcome(text, !isBroken)
}

await ask([startPreau, startSquid], async contestants => {
  const rows: Record<string, string>[] = []
  for (const [what, { says, why = '' }] of Object.entries(ODD_ANSWERS)) {
    const row: Record<string, string> = { what }
    for (const contestant of contestants)
      row[contestant.name.replace(/,.*/, '')] = await outcomeOf(contestant, says)
    const given = new Set(Object.values(row).slice(1))
    rows.push({ ...row, why: given.size > 1 ? why : '' })
  }
  report(`${rows.length} odd answers of an origin, as a client gets them`, contestants, rows)
})
