/** Tries many inputs on a target, and makes the first that breaks a promise small. */
import { createRandom } from './random.ts'
import { minimise } from './minimise.ts'
import type { FuzzTarget, Measure, Opened, Scope } from './target.ts'

export interface RunOptions {
  readonly seed: number
  /** At most so many inputs, or as many as `forMs` allows. */
  readonly inputs?: number
  readonly forMs?: number
  /** Hears before each batch of its first seed, and so knows where a run hangs. */
  readonly onBatch?: (seed: number, tried: number) => void
}

export interface FuzzReport {
  readonly tried: number
  readonly elapsedMs: number
  /** After the first tenth, when caches and compiled code stand; and at the end. */
  readonly before: Measure
  readonly after: Measure
  readonly finding?: Finding
}

export interface Finding {
  /** `npm run fuzz -- --target X --seed N` tries this input first. */
  readonly seed: number
  readonly input: Buffer
  readonly error: string
}

/** The input of seed N is the same in every run, wherever the run began. */
const inputOf = (opened: Opened, seed: number): Buffer => opened.make(createRandom(seed))

export async function runTarget(
  target: FuzzTarget,
  scope: Scope,
  { seed, inputs = Infinity, forMs = Infinity, onBatch }: RunOptions,
): Promise<FuzzReport> {
  const opened = await target.open(scope)
  const startedAt = performance.now()
  let tried = 0
  let before: Measure | undefined
  let finding: Finding | undefined
  while (finding === undefined && tried < inputs && performance.now() - startedAt < forMs) {
    const count = Math.min(opened.batch, inputs - tried)
    const first = seed + tried
    onBatch?.(first, tried)
    const batch = Array.from({ length: count }, (_, at) => inputOf(opened, first + at))
    finding = await attemptAll(opened, batch, first)
    tried += count
    const isWarm = tried * 10 >= inputs || (performance.now() - startedAt) * 10 >= forMs
    if (isWarm) before ??= opened.measure()
  }
  const elapsedMs = performance.now() - startedAt
  const after = opened.measure()
  return { tried, elapsedMs, before: before ?? after, after, ...(finding && { finding }) }
}

const failureOf = (opened: Opened, inputs: readonly Buffer[]): Promise<string | undefined> =>
  opened.attempt(inputs).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )

async function attemptAll(
  opened: Opened,
  batch: readonly Buffer[],
  first: number,
): Promise<Finding | undefined> {
  const error = await failureOf(opened, batch)
  if (error === undefined) return undefined
  for (const [at, input] of batch.entries()) {
    const alone = await failureOf(opened, [input])
    if (alone === undefined) continue
    const isBroken = async (bytes: Buffer): Promise<boolean> =>
      (await failureOf(opened, [bytes])) !== undefined
    return { seed: first + at, input: await minimise(input, isBroken), error: alone }
  }
  // Only together: the batch is what reproduces it.
  return { seed: first, input: Buffer.alloc(0), error: `${error}\n(no input does it alone)` }
}
