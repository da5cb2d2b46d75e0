/** A process tells how it is, and what it cannot know it leaves out. */
import t from 'tap'
import { openSync, closeSync } from 'node:fs'
import { setTimeout as elapsed } from 'node:timers/promises'
import { watchProcess, type ProcessGauges } from '../../src/main/process-gauges.ts'

async function read(gauges: ProcessGauges): Promise<Map<string, number>> {
  const samples = await gauges.samples()
  return new Map(
    samples.map(({ name, labels, value }) => [
      [name, labels?.['quantile']].join(' ').trim(),
      value,
    ]),
  )
}

t.test('memory, processor time, age and descriptors are those of the process', async t => {
  const gauges = watchProcess()
  t.teardown(() => gauges.close())
  const before = await read(gauges)
  const opened = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
  const after = await read(gauges)
  for (const descriptor of opened) closeSync(descriptor)
  const [open = 0, max = 0] = ['open', 'max'].map(word => after.get(`preau_${word}_descriptors`))
  t.ok(open >= (before.get('preau_open_descriptors') ?? Infinity) + 15)
  t.ok(max >= open)
  t.ok((after.get('preau_resident_memory_bytes') ?? 0) > 10_000_000)
  t.ok((after.get('preau_cpu_seconds_total') ?? 0) > 0)
  t.ok((after.get('preau_worker_uptime_seconds') ?? 0) > 0)
})

t.test('a loop that was held up shows it, to everybody who asks', async t => {
  const gauges = watchProcess()
  t.teardown(() => gauges.close())
  await elapsed(1)
  const until = performance.now() + 60
  while (performance.now() < until);
  await elapsed(1)
  for (let reader = 0; reader < 2; reader++) {
    const longest = (await read(gauges)).get('preau_event_loop_turn_seconds 1') ?? 0
    t.ok(longest >= 0.05, `reader ${reader}: ${longest}`)
  }
})
