/** Whether Redis has the memory for everything twice: filled to its bound it would refuse the commits of the city. */
import { PreauError } from '../../errors.ts'
import { RedisRefusal } from '../redis-error.ts'
import { KINDS } from './kinds.ts'
import type { OpenPlace } from './redis-place.ts'

/** What must be left for those who go on working. */
const SPARE = 0.1

/** Throws PREAU_STORE_UNAVAILABLE. Where this user may not ask, or there is no bound, Redis itself says when it is full. */
export async function assertRoom({ link, keys }: Pick<OpenPlace, 'link' | 'keys'>): Promise<void> {
  try {
    const info = (await link.call('INFO', ['memory'])) as string
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
    const bound = field('maxmemory')
    if (bound === 0) return
    const names = [keys.audit, ...KINDS.flatMap(kind => [keys.documents(kind), keys.index(kind)])]
    const sizes = await Promise.all(
      names.map(async name => Number(await link.call('MEMORY', ['USAGE', name]))),
    )
    const wanted = sizes.reduce((sum, size) => sum + size, 0)
    if (field('used_memory') + wanted < bound * (1 - SPARE)) return
    const detail = {
      fr: `« maxmemory » de Redis est à ${megabytes(bound)} Mo : il en manque ${megabytes(wanted)} pendant la copie`,
      en: `maxmemory of Redis is ${megabytes(bound)} MB: no room for ${megabytes(wanted)} MB more while it is copied`,
    }
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail })
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error
  }
}

const megabytes = (bytes: number): string => String(Math.ceil(bytes / 1e6))
