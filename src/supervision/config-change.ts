/** What a new configuration changes in a running Préau, and what of it waits for a restart. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config.ts'

/**
 * What stands for the whole life of the supervisor: the sockets that it holds, and the place of what is kept, of which two
 * generations must have the same.
 */
const KEPT = ['dataDir', 'store', 'redis', 'proxy.host', 'proxy.port', 'admin.host', 'admin.port']

export interface ConfigChange {
  /** Keys whose value is another one now, such as `limits.connections`. */
  readonly changed: readonly string[]
  /** Those that changed too, and count from the next full restart on. */
  readonly waiting: readonly string[]
  /** The new configuration, with the old values of those that wait. */
  readonly config: Config
}

/** Compares what was read at the start, or last, with what has been read now. */
export function compareConfigs(before: Config, now: Config): ConfigChange {
  const keys = new Set([...keysOf(before), ...keysOf(now)])
  const differing = [...keys].filter(key => !isDeepStrictEqual(at(before, key), at(now, key)))
  return {
    changed: differing.filter(key => !KEPT.some(kept => isWithin(key, kept))),
    waiting: differing.filter(key => KEPT.some(kept => isWithin(key, kept))),
    config: KEPT.reduce((config, key) => withValue(config, key, at(before, key)), now),
  }
}

const isWithin = (key: string, kept: string): boolean => key === kept || key.startsWith(`${kept}.`)

/** Two levels, as the configuration has them: below that a value is compared as a whole. */
function keysOf(config: Config): string[] {
  return Object.entries(config).flatMap(([key, value]) =>
    isSection(value) ? Object.keys(value).map(inner => `${key}.${inner}`) : [key],
  )
}

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function at(config: Config, key: string): unknown {
  const [first = '', second] = key.split('.')
  const value: unknown = Reflect.get(config, first)
  if (second === undefined) return value
  return isSection(value) ? Reflect.get(value, second) : undefined
}

function withValue(config: Config, key: string, value: unknown): Config {
  if (value === undefined) return config
  const [first = '', second] = key.split('.')
  if (second === undefined) return { ...config, [first]: value }
  const section: unknown = Reflect.get(config, first)
  return { ...config, [first]: { ...(isSection(section) ? section : {}), [second]: value } }
}
