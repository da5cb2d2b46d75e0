/** A new certificate of the city, rolled out while the filter works: block pages go on with the one that PCs have. */
import t from 'tap'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { runProgram, startProduct } from '../support/product.ts'

t.test('a certificate is renewed in the name of the city, live, on every worker', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-renewed-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const product = await startProduct(t, { dir, config: { workers: 2 } })
  const [old, next, policy] = ['old.pem', 'next.pem', 'policy.json'].map(name => join(dir, name))
  if (old === undefined || next === undefined || policy === undefined) throw new Error()
  /** Whether a PC that has only this certificate sees the block page: 60 is curl's word for a certificate it does not know. */
  const sees = async (ca: string): Promise<boolean> => {
    const url = 'https://www.jeux.fr/'
    const { code, stdout } = await runProgram('curl', [
      '-sx',
      product.proxyUrl,
      '--cacert',
      ca,
      url,
    ])
    t.ok(code === 0 ? stdout.includes('jeux.fr') : code === 60)
    return code === 0
  }
  const soon = async (ca: string): Promise<void> => {
    // Connections are spread over the workers: both must have followed.
    for (let inRow = 0; inRow < 6;) {
      inRow = (await sees(ca)) ? inRow + 1 : 0
      await elapsed(20)
    }
  }
  t.equal((await product.cli('ca', 'export', old)).code, 0)
  t.match((await product.cli('policy', 'export', policy)).code, 0)
  writeFileSync(
    policy,
    readFileSync(policy, 'utf8').replace('Ville de démonstration', 'Saint-Aubin'),
  )
  t.equal((await product.cli('policy', 'import', policy)).code, 0)
  t.match(
    (await product.cli('ca', 'export', old)).stderr,
    /« Ville de démonstration ».*« Saint-Aubin ».*ca renew/,
  )
  t.equal((await product.cli('ca', 'activate')).code, 2, 'nothing waits yet')
  t.match(
    (await product.cli('ca', 'renew')).stdout,
    /au nom de « Saint-Aubin »[^]*L’ancien reste en service/,
  )
  t.equal((await product.cli('ca', 'export', '--next', next)).code, 0)
  t.match(
    (await product.cli('ca', 'show')).stdout,
    /en service +Ville de démonstration[^]*prochain +Saint-Aubin/,
  )
  t.ok(await sees(old), 'PCs have the old one')
  t.notOk(await sees(next))
  const offered = await runProgram('curl', [
    '-sx',
    product.proxyUrl,
    'http://preau.internal/ca-next.crt',
  ])
  t.equal(offered.stdout, readFileSync(next, 'utf8'), 'PCs can fetch the new one already')
  t.equal((await product.cli('ca', 'activate')).code, 0)
  await soon(next)
  t.notOk(await sees(old))
  t.equal(readFileSync(product.caFile, 'utf8'), readFileSync(next, 'utf8'))
  t.equal((await product.cli('ca', 'rollback')).code, 0)
  await soon(old)
  await product.stop()
  const again = await startProduct(t, { dir })
  const { code } = await runProgram('curl', [
    '-sx',
    again.proxyUrl,
    '--cacert',
    old,
    'https://www.jeux.fr/',
  ])
  t.equal(code, 0, 'after a restart too')
})
