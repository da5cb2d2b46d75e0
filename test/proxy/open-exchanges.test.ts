/** A tunnel that is open ends when what it carries is no longer allowed, though its host still is. */
import t from 'tap'
import { Connection, Exchange } from '../../src/proxy/exchange.ts'
import { helloGate } from '../../src/proxy/hello-gate.ts'
import { OpenExchanges } from '../../src/proxy/open-exchanges.ts'
import { decide } from '../../src/policy/verdict.ts'
import { aCurrent, aPolicy, aSnapshot, host } from '../support/snapshot.ts'

t.test('the rule that let a host carry anything is taken back, or its time is over', async t => {
  const rule = { host: host('turn.test'), action: 'allow', until: '2026-11-24' } as const
  const NOON = Date.UTC(2026, 10, 24, 11)
  const snapshotWith = (tunnels: object) =>
    aSnapshot({ policy: aPolicy({ rules: [{ ...rule, ...tunnels }] }) })
  const current = aCurrent(snapshotWith({ tunnels: 'any' }))
  let now = NOON
  const open = new OpenExchanges(current, () => now)
  t.teardown(() => open.close())
  let cut = 0
  const begin = (said: string | Buffer): void => {
    const { snapshot } = current
    const client = snapshot.networks(host('10.1.0.1'))
    const destroy = (): void => {
      cut++
      exchange.close()
    }
    const connection = new Connection({ destroy, bytesRead: 0, bytesWritten: 0 } as never)
    const start = { connection, method: 'CONNECT', client, snapshot, now, decide }
    const exchange: Exchange = new Exchange(start, () => open.delete(exchange))
    open.add(exchange)
    exchange.judge({ host: host('turn.test'), port: 443 }, () => true)
    open.relay(exchange)
    helloGate(exchange, 0, () => undefined).admit(Buffer.from(said))
  }
  begin('SSH-2.0-OpenSSH_9.2p1\r\n')
  begin(Buffer.from([0x16, 3, 1]))
  current.swap(snapshotWith({ tunnels: 'any' }))
  t.equal(cut, 0)
  now = Date.UTC(2026, 10, 25, 11)
  current.swap(snapshotWith({ tunnels: 'any' }))
  t.equal(cut, 1, 'the site is open to all anyway, and only what is not TLS ends')
  now = NOON
  begin('SSH-2.0-OpenSSH_9.2p1\r\n')
  cut = 0
  current.swap(snapshotWith({}))
  t.equal(cut, 1)
})
