/** An import that is killed at any moment leaves orphans at most: what is in force is whole, in the store and elsewhere. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import t from 'tap'
import { bringVersion } from '../../src/shared-lists/bring.ts'
import { filesOfVersion } from '../../src/shared-lists/version-files.ts'
import { openMachines, until } from './machines.ts'

const TIMES = 8

t.test(
  'of a version in force every file is in the store, whenever its importer was killed',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    b.follow()
    const list = join(a.config.dataDir, 'hosts.txt')
    writeFileSync(list, Array.from({ length: 60_000 }, (_, i) => `h${i}.example\n`).join(''))
    const script = join(import.meta.dirname, 'fixtures/import-process.ts')
    const acknowledged: string[] = []
    let inForce = ''
    for (let i = 0; i < TIMES; i++) {
      const child = spawn(process.execPath, [script, a.config.dataDir, a.config.store, list])
      let said = ''
      child.stdout.on('data', chunk => (said += String(chunk)))
      await until(() => said.includes('\n'))
      await elapsed(Math.random() * 400)
      child.kill('SIGKILL')
      await once(child, 'close')
      acknowledged.push(...said.trim().split('\n'))
      const lists = await a.lists()
      inForce = lists.id
      t.ok(
        lists.id >= (acknowledged.at(-1) ?? ''),
        'what was acknowledged is in force, or a later one',
      )
      const shared = await a.files.list()
      for (const version of [lists, lists.previous ?? []].flat())
        for (const { name, isOptional } of await filesOfVersion(version))
          if (!isOptional) t.ok(shared.has(name), name)
    }
    await until(async () => b.has(await a.lists()))
    t.equal(b.checksum((await b.lists()).index), a.checksum((await a.lists()).index))
    const c = await machines.add('c')
    const lists = await c.lists()
    t.equal(lists.id, inForce)
    await bringVersion({ dataDir: c.config.dataDir, files: c.files }, lists)
    t.ok(c.names().some(name => name.endsWith('games.txt')))
    t.match(
      await b.importHosts('own', ['last.example']),
      { kind: 'activated' },
      'and the next import goes as ever',
    )
    t.comment(
      `measured: ${TIMES} importers killed, ${acknowledged.length} imports acknowledged, 0 lost`,
    )
  },
)
