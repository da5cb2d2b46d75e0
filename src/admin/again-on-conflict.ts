/** Reads and writes again where somebody else has written in between. */
import { hasCode } from '../errors.ts'

/** Each turn fails only because another one won. */
const MAX_TURNS = 10

/** `work` reads what it changes anew at each turn. Throws PREAU_CONFLICT only after the last one, and what `work` throws. */
export async function againOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let turn = 1; ; turn++) {
    try {
      return await work()
    } catch (error) {
      const isConflict = hasCode(error, 'PREAU_CONFLICT')
      if (!isConflict || turn === MAX_TURNS) throw error
    }
  }
}
