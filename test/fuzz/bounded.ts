/** The run of a target in `npm test`: few inputs, always the same ones; the long one is `npm run fuzz`. */
import type { Test } from 'tap'
import { runTarget } from './engine/run-target.ts'
import { show } from './engine/show.ts'
import type { FuzzTarget } from './engine/target.ts'

const SEED = 20_260_914
/** What a bounded run may leave behind: sockets that are still closing. */
const MORE_DESCRIPTORS = 200

export async function runBounded(t: Test, target: FuzzTarget): Promise<void> {
  const { tried, elapsedMs, before, after, finding } = await runTarget(target, t, {
    seed: SEED,
    inputs: target.bounded,
  })
  t.comment(
    `measured ${target.name}: ${tried} inputs from seed ${SEED} in ${Math.round(elapsedMs)} ms`,
  )
  if (finding !== undefined) t.fail(show(target.name, finding))
  t.ok(after.descriptors <= before.descriptors + MORE_DESCRIPTORS, 'descriptors do not grow')
}
