/** `preau policy import`: what is said of a file before it becomes the policy. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { policyImport } from '../../src/commands/policy.ts'
import { createTerminal } from '../../src/commands/terminal.ts'
import { loadConfig } from '../../src/config.ts'
import { hasCode } from '../../src/errors.ts'
import { withInstalled } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'

interface Options {
  readonly dryRun?: boolean
  readonly confirmed?: boolean
}

/** Imports schools, one network each; answers what is printed and what is refused. */
async function openCity(t: Test) {
  const dataDir = t.testdir()
  const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir })
  const file = join(dataDir, 'politique.json')
  const importFile = async (networks: readonly string[], options: Options = {}) => {
    const sites = networks.map((network, i) => ({
      uai: `000000${i}A`,
      name: `École ${i}`,
      rooms: [{ name: 'Salle 1', profile: 'pupils', networks: [network] }],
    }))
    writeFileSync(file, JSON.stringify({ ...DEFAULT_POLICY, sites, rules: [] }))
    let printed = ''
    const output = { isTTY: false, write: (text: string) => (printed += text) }
    const terminal = createTerminal('fr', output as unknown as NodeJS.WriteStream)
    const given = { dryRun: false, confirmed: false, ...options }
    const refusal = await policyImport(config, terminal, file, given).then(
      () => undefined,
      (error: unknown) => error,
    )
    return { text: stripVTControlCharacters(printed).replace(/[\s\u00a0\u202f]+/g, ' '), refusal }
  }
  const schools = () =>
    withInstalled(
      config,
      async ({ store }) => (await store.get('policy', CURRENT))?.body.sites.length,
    )
  return { importFile, schools }
}

t.test('a network inside another school is said in a rehearsal, and wants a yes', async t => {
  const { importFile, schools } = await openCity(t)
  const nested = ['10.0.0.0/8', '10.1.2.0/24']
  const told =
    '! 10.1.2.0/24 (Salle 1, École 1 (0000001A)) est dans le réseau 10.0.0.0/8 de Salle 1, École 0 (0000000A)'
  const rehearsal = await importFile(nested, { dryRun: true })
  t.ok(rehearsal.text.includes(told), rehearsal.text)
  t.equal(rehearsal.refusal, undefined)
  const before = await schools()
  const { text, refusal } = await importFile(nested)
  t.ok(text.includes(told))
  t.ok(hasCode(refusal, 'PREAU_POLICY_UNCONFIRMED'))
  t.equal(await schools(), before)
  t.equal((await importFile(nested, { confirmed: true })).refusal, undefined)
  t.equal(await schools(), 2)
  const again = await importFile([...nested, '11.0.0.0/8'])
  t.equal(again.refusal, undefined, 'what was agreed to is not asked again')
  t.notMatch(again.text, 'est dans le réseau')
})

t.test('an address without its length is refused in words, one PC is told', async t => {
  const { importFile } = await openCity(t)
  for (const dryRun of [true, false]) {
    const { refusal } = await importFile(['10.1.2.0'], { dryRun })
    t.match(hasCode(refusal, 'PREAU_POLICY_INVALID') && refusal.text('fr'), '10.1.2.0/24')
  }
  const single = await importFile(['10.1.2.7'])
  t.match(single.text, '! 10.1.2.7 (Salle 1, École 0 (0000000A)) : un seul poste, pas un réseau.')
  t.equal(single.refusal, undefined)
})
