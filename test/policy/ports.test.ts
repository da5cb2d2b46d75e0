import t from 'tap'
import { compilePorts, opensPort } from '../../src/policy/ports.ts'
import { host } from '../support/snapshot.ts'

t.test('ports are single or ranges', async t => {
  const isOpen = compilePorts([443, '8000-8100'])
  const rows: [number, boolean][] = [
    [442, false],
    [443, true],
    [444, false],
    [7999, false],
    [8000, true],
    [8100, true],
    [8101, false],
  ]
  for (const [port, expected] of rows) t.equal(isOpen(port), expected, String(port))
})

t.test('a tunnel reaches ports of both kinds, a page those of plain HTTP only', async t => {
  const proxy = { connectPorts: [443], httpPorts: [80] }
  const target = (port: number, path?: string) => ({
    host: host('a.example'),
    port,
    ...(path === undefined ? {} : { path }),
  })
  t.ok(opensPort(proxy, target(443)))
  t.ok(opensPort(proxy, target(80)), 'with a WebSocket in it')
  t.ok(opensPort(proxy, target(80, '/')))
  t.notOk(opensPort(proxy, target(443, '/')))
  t.notOk(opensPort(proxy, target(22)))
})
