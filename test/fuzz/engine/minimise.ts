/** Makes an input that breaks a promise small, by leaving out what it does not need. */

const MAX_TRIES = 400
const MAX_MS = 20_000

/** Leaves out ever smaller pieces as long as it still breaks (Zeller's delta debugging, in its greedy form). */
export async function minimise(
  input: Buffer,
  isBroken: (input: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let smallest = input
  let tries = 0
  const until = performance.now() + MAX_MS
  const isOver = (): boolean => tries >= MAX_TRIES || performance.now() > until
  for (let size = input.length >> 1; size >= 1 && !isOver(); size >>= 1) {
    for (let at = 0; at < smallest.length && !isOver(); tries++) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)])
      if (await isBroken(shorter)) smallest = shorter
      else at += size
    }
  }
  return smallest
}
