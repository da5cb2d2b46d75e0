/** An admin process whose machine has lost its lists gets them back by itself: nobody else there would fetch them. */
import { globSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { listsFolder } from '../../src/categories/lists.ts'
import { followBroughtSnapshot } from '../../src/main/brought-snapshot.ts'
import { decide } from '../../src/policy/verdict.ts'
import { host } from '../support/snapshot.ts'
import { openMachines, type Machine } from '../shared-lists/machines.ts'

const logger = pino({ level: 'silent' })
const followIn = ({ store, config, catalogue }: Machine, patienceMs?: number) =>
  followBroughtSnapshot({ store, config, catalogue, clock: Date.now, logger }, patienceMs)
const indexesOf = ({ config }: Machine): string[] =>
  globSync(join(listsFolder(config.dataDir), 'index-*.bin'))

for (const [what, spoil] of [
  ['is gone', (file: string) => rmSync(file)],
  ['is damaged', (file: string) => truncateSync(file, 100)],
] as const) {
  t.test(`every index of the machine ${what}: it comes from the store, and decides`, async t => {
    const machines = await openMachines(t)
    const machine = await machines.add('a')
    await machine.importHosts('own', ['own.example'])
    const files = indexesOf(machine)
    t.equal(files.length, 2, 'the one in force and the one before')
    for (const file of files) spoil(file)
    machine.follow()
    const current = await followIn(machine)
    t.teardown(() => current.close())
    const { snapshot } = current
    const client = snapshot.networks(host('127.0.0.1'))
    const { reason } = decide(
      snapshot,
      client,
      { host: host('own.example'), port: 443 },
      Date.now(),
    )
    t.equal(reason, 'blocked-category')
  })
}

t.test('where nobody brings it the start ends with what is wrong', async t => {
  const machines = await openMachines(t)
  const machine = await machines.add('a')
  for (const file of indexesOf(machine)) rmSync(file)
  await t.rejects(followIn(machine, 0), { code: 'PREAU_INDEX_DAMAGED' })
})
