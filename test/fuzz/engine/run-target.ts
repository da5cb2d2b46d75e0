/** Tries many inputs on a target, and makes the first that breaks a promise small. */
import { createRandom } from './random.ts'
import { minimise } from './minimise.ts'
import type { FuzzTarget, Measure, Opened, Scope } from './target.ts'

export interface RunOptions {
  readonly seed: number
  /** At most so many inputs, or as many as `forMs` allows. */
  readonly inputs?: number
  readonly forMs?: number
  /** Hears of the first seed of a batch before it is tried, and so knows where a run hangs. */
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
  const explain = async (batch: Buffer[], from: number, failure: string): Promise<Finding> => {
    const found = await isolate(batch, from, inputs => {
      onBatch?.(from, tried)
      return failureOf(opened, inputs)
    })
    return { ...found, error: `${failure}\n${found.error}` }
  }
  while (finding === undefined && tried < inputs && performance.now() - startedAt < forMs) {
    const count = Math.min(opened.batch, inputs - tried)
    const first = seed + tried
    onBatch?.(first, tried)
    const batch = Array.from({ length: count }, (_, at) => inputOf(opened, first + at))
    tried += count
    const failure = await failureOf(opened, batch)
    if (failure !== undefined) finding = await explain(batch, first, failure)
    const isWarm = tried * 10 >= inputs || (performance.now() - startedAt) * 10 >= forMs
    if (isWarm) before ??= opened.measure()
  }
  const elapsedMs = performance.now() - startedAt
  const after = opened.measure()
  return { tried, elapsedMs, before: before ?? after, after, ...(finding && { finding }) }
}

/** What `inputs` break together; undefined: nothing. */
type FailureOf = (inputs: readonly Buffer[]) => Promise<string | undefined>

const failureOf = (opened: Opened, inputs: readonly Buffer[]): Promise<string | undefined> =>
  opened.attempt(inputs).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )

/** Halves a batch that broke a promise until one input is left that does it alone. */
async function isolate(batch: readonly Buffer[], first: number, fail: FailureOf): Promise<Finding> {
  let [from, to] = [0, batch.length]
  let error = ''
  while (to - from > 1) {
    const middle = (from + to) >> 1
    const left = await fail(batch.slice(from, middle))
    const right = left === undefined ? await fail(batch.slice(middle, to)) : undefined
    if (left === undefined && right === undefined) {
      // Only together, or by chance: the batch is what may repeat it.
      const rest = `only among the inputs of the seeds ${first + from} to ${first + to - 1}`
      return { seed: first + from, input: Buffer.alloc(0), error: `${error}\n${rest}` }
    }
    error = left ?? right ?? error
    if (left === undefined) from = middle
    else to = middle
  }
  const input = batch[from] ?? Buffer.alloc(0)
  const alone = (await fail([input])) ?? `${error}\n(not every time)`
  const isBroken = async (bytes: Buffer): Promise<boolean> => (await fail([bytes])) !== undefined
  return { seed: first + from, input: await minimise(input, isBroken), error: alone }
}
