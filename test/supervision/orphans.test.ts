/** A supervisor and those whose own has gone: who comes early or late, says nothing or nonsense, and hears when to end. */
import t, { type Test } from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { seekSuccessor } from '../../src/succession/seek-successor.ts'
import { openMeetingPlace, visit } from '../../src/succession/meeting-place.ts'
import type { Order } from '../../src/succession/lines.ts'
import { Orphans } from '../../src/supervision/orphans.ts'
import { notLinux } from '../support/process-state.ts'
import { isAlive, until } from '../support/supervised.ts'

const skip = notLinux

interface Expected {
  readonly orphans: Orphans
  readonly warnings: object[]
}

async function expect(t: Test, dir: string): Promise<Expected> {
  const warnings: object[] = []
  const orphans = await Orphans.expect(dir, { warn: (what: object) => void warnings.push(what) })
  t.teardown(() => orphans.leave())
  return { orphans, warnings }
}

/** Comes as an orphan does; what it is told is kept. Ends once the test has. */
function come(t: Test, dataDir: string, port: number, pid = 1): Order[] {
  const orders: Order[] = []
  const self = { role: 'proxy', port, pid } as const
  const end = seekSuccessor({ dataDir, self, onOrder: order => void orders.push(order) })
  t.teardown(end)
  return orders
}

async function knock(t: Test, dir: string): Promise<Socket> {
  const place = openMeetingPlace(dir)
  const socket = visit(place).on('error', () => undefined)
  t.teardown(() => {
    socket.destroy()
    place.close()
  })
  await once(socket, 'connect')
  return socket
}

t.test('they are known by their port, and hear nothing before it is time', { skip }, async t => {
  const dir = t.testdir()
  const early = come(t, dir, 3128)
  const { orphans } = await expect(t, dir)
  await until(() => orphans.hold(3128))
  t.ok(orphans.hold(3128), 'who was there before us finds us')
  t.notOk(orphans.hold(8080))
  t.strictSame(early, [])
  orphans.dismiss(5_000)
  const late = come(t, dir, 8080)
  await until(() => early.length + late.length === 2)
  t.strictSame(early, [{ type: 'stop', drainMs: 5_000 }])
  t.strictSame(late, early, 'and so does who comes later')
})

t.test(
  'a supervisor that goes before it has taken over leaves them to the next',
  { skip },
  async t => {
    const dir = t.testdir()
    const orders = come(t, dir, 3128)
    for (const how of ['leave', 'end'] as const) {
      const { orphans } = await expect(t, dir)
      await until(() => orphans.hold(3128))
      t.ok(orphans.hold(3128))
      await orphans[how](0)
    }
    t.strictSame(orders, [], 'nobody was told to end')
    t.notOk(existsSync(join(dir, 'supervisor.sock')))
  },
)

t.test('who was told to end and does not is ended by force', { skip }, async t => {
  const dir = t.testdir()
  const deaf = spawn('sleep', ['60'])
  t.teardown(() => deaf.kill('SIGKILL'))
  const { orphans } = await expect(t, dir)
  // Its connection is ours: as long as it is open the process counts as alive.
  const socket = await knock(t, dir)
  socket.write(`${JSON.stringify({ role: 'proxy', port: 1, pid: deaf.pid })}\n`)
  await until(() => orphans.hold(1))
  orphans.kill()
  t.ok(isAlive(deaf.pid ?? 0), 'not before it was told to end')
  orphans.dismiss(60_000)
  const ended = orphans.end(0)
  orphans.kill()
  await once(deaf, 'exit')
  socket.destroy()
  await ended
  t.notOk(orphans.hold(1))
})

t.test('nonsense, silence and endless lines are not listened to for long', { skip }, async t => {
  const dir = t.testdir()
  const { orphans } = await expect(t, dir)
  const bad = ['x\n', '{"role":\n', 'x'.repeat(5_000), '']
  for (const text of bad) {
    const socket = await knock(t, dir)
    const closed = once(socket.resume(), 'close')
    socket.write(text)
    await closed
    t.pass(text.slice(0, 20))
  }
  const strange = await knock(t, dir)
  strange.write('{"role":"admin","port":-1,"pid":1}\n{"role":"admin","port":2,"pid":0}\n')
  strange.write('{"role":"admin","port":3,"pid":3,"more":"of a later release"}\n')
  await until(() => orphans.hold(3))
  t.ok(orphans.hold(3), 'a line that is not understood is passed over')
  t.notOk(orphans.hold(2))
})

t.test('where a supervisor lives another one takes nothing from it', { skip }, async t => {
  const dir = t.testdir()
  const first = await expect(t, dir)
  const second = await expect(t, dir)
  come(t, dir, 3128)
  await until(() => first.orphans.hold(3128))
  t.notOk(second.orphans.hold(3128))
  second.orphans.leave()
  t.ok(existsSync(join(dir, 'supervisor.sock')))
  t.strictSame([first.warnings.length, second.warnings.length], [1, 0])
})

t.test(
  'what a dead supervisor left is no hindrance, and what cannot be is told',
  { skip },
  async t => {
    const dir = t.testdir()
    const file = join(dir, 'supervisor.sock')
    writeFileSync(file, '')
    const { orphans, warnings } = await expect(t, dir)
    come(t, dir, 3128)
    await until(() => orphans.hold(3128))
    t.ok(orphans.hold(3128))
    t.equal(warnings.length, 1, 'who has come')
    const nowhere = await expect(t, join(dir, 'nowhere'))
    t.match(nowhere.warnings, [{ err: { code: 'ENOENT' } }])
    nowhere.orphans.dismiss(0)
    await nowhere.orphans.end(0)
  },
)

t.test('an orphan is not misled by who says nonsense, and tries again', { skip }, async t => {
  const dir = t.testdir()
  const place = openMeetingPlace(dir)
  t.teardown(() => place.close())
  let visits = 0
  const liar = createServer(socket => {
    visits += 1
    socket.end(visits < 3 ? '{"type":"dance"}\nnonsense\n' : '{"type":"stop","drainMs":7}\n')
  }).listen(place.path)
  t.teardown(() => liar.close())
  const orders = come(t, dir, 3128)
  await until(() => orders.length > 0)
  t.strictSame(orders, [{ type: 'stop', drainMs: 7 }])
  const before = visits
  await elapsed(300)
  t.equal(visits, before, 'who has been told comes no more')
})
