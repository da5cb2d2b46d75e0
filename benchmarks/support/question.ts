/** The frame of a question: its surroundings and contestants are started before it, and stopped after it, whatever comes. */
import type { Contestant } from './contestants/contestant.ts'
import { startSurroundings, type Surroundings } from './processes.ts'

type Starters = readonly (() => Promise<Contestant | undefined>)[]

/** Asks `question` about those of the contestants that are installed. */
export async function ask(
  starters: Starters,
  question: (contestants: readonly Contestant[], surroundings: Surroundings) => Promise<void>,
): Promise<void> {
  const surroundings = await startSurroundings()
  const contestants: Contestant[] = []
  try {
    for (const start of starters) {
      const contestant = await start()
      if (contestant !== undefined) contestants.push(contestant)
    }
    await question(contestants, surroundings)
  } finally {
    await Promise.all([...contestants.map(each => each.stop()), surroundings.stop()])
  }
}
