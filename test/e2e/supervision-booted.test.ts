/** `deploy/preau.service` under a systemd that is the first process: what a DSI types does what is promised. */
import t from 'tap'
import { boot, whyNotBooted, type Booted } from '../support/booted/booted.ts'
import { until } from '../support/supervised.ts'

const skip = whyNotBooted()
const CONFIG = { dataDir: '/var/lib/preau' }

/** At one moment. */
async function look({
  systemctl,
}: Booted): Promise<{ state: string; result: string; main: string }> {
  const asked = ['ActiveState', 'Result', 'MainPID'].flatMap(name => ['--property', name])
  const { stdout } = await systemctl('show', ...asked, 'preau')
  const of = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? ''
  return { state: of('ActiveState'), result: of('Result'), main: of('MainPID') }
}

t.test('the service under systemd', { skip }, async t => {
  const systemd = await boot(t, CONFIG, 'WatchdogSec=6')
  const { run, systemctl, ask } = systemd
  t.teardown(async () => {
    if (!t.passing()) t.comment((await run('journalctl', '--no-pager', '-o', 'cat')).stdout)
  })

  t.match(await systemctl('start', 'preau'), { code: 0 })
  const first = await look(systemd)
  t.equal(first.state, 'active')
  const listening = (await run('ss', '-ltnH')).stdout
  for (const port of ['3128', '8080']) t.match(listening, `:${port} `, 'it started once all listen')

  const asking = ask()
  t.match(await systemctl('restart', 'preau'), { code: 0 })
  const second = await look(systemd)
  t.not(second.main, first.main, 'a restart brings a new supervisor')
  await systemctl('kill', '--kill-whom=main', '--signal=STOP', 'preau')
  const isSucceeded = async (): Promise<boolean> => {
    const { state, main } = await look(systemd)
    return state === 'active' && main !== second.main
  }
  await until(isSucceeded)
  t.ok(await isSucceeded(), 'so does the watchdog for one that hangs')
  const outcomes = await asking.stop()
  t.comment(`measured: ${JSON.stringify(outcomes)}`)
  t.strictSame(Object.keys(outcomes), ['403'], 'meanwhile everybody was answered')

  t.match(await systemctl('stop', 'preau'), { code: 0 })
  t.match(await look(systemd), { state: 'inactive', result: 'success' })
  t.equal((await run('pgrep', '-u', 'preau')).stdout, '', 'a stop leaves nobody behind')
})
