/** A finding as a person needs it to repeat it. */
import type { Finding } from './run-target.ts'

const SHOWN_BYTES = 2_000

export function show(target: string, { seed, input, error }: Finding): string {
  const bytes = input.subarray(0, SHOWN_BYTES)
  return [
    error,
    `input  ${JSON.stringify(bytes.toString('latin1'))}`,
    `hex    ${bytes.toString('hex')}`,
    `again  npm run fuzz -- --target ${target} --seed ${seed} --inputs 1`,
  ].join('\n')
}
