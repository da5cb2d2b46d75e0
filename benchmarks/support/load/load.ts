/** The load generator, a process of its own: takes one order after the other, and answers figures or what went wrong. */
import type { Figures } from './figures.ts'
import { downAndUp } from './bulk.ts'
import { closeIdle, openIdle } from './idle.ts'
import { keepAlive } from './keep-alive.ts'
import { pages } from './pages.ts'
import { refusedConnects } from './refused-connects.ts'
import { paced, tunnels } from './tunnels.ts'

/** What may be ordered, by its name. */
const WORK = {
  tunnels,
  paced,
  downAndUp,
  keepAlive,
  refusedConnects,
  pages,
  openIdle,
  closeIdle,
} satisfies Record<string, (order: never) => Promise<Figures>>

export type Work = typeof WORK
export type WorkName = keyof Work
export type OrderOf<N extends WorkName> = Parameters<Work[N]>[0]

process.on('message', ({ work, order }: { work: WorkName; order: never }) => {
  WORK[work](order).then(
    figures => process.send?.({ figures }),
    (error: unknown) =>
      process.send?.({ failure: error instanceof Error ? error.message : String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
