/** The ways through parent proxies, put together as the configuration says. */
import type { ParentsConfig } from '../config-parents.ts'
import { createDial, type Dial, type DialOptions } from './dial.ts'
import { createParentDial } from './parent-dial.ts'
import { Parents, type ParentsOptions } from './parents.ts'

/** All that leads through parents, put together. */
export interface OpenedParents {
  readonly parents: Parents
  /** What a tunnel goes over: a parent's CONNECT where one leads to its host, the direct way elsewhere. */
  readonly dialTunnel: Dial
}

export interface OpenParentsOptions extends Omit<DialOptions, 'timeoutMs'> {
  readonly dialTimeoutMs: number
  readonly direct: Dial
  readonly onChange?: ParentsOptions['onChange']
}

/** undefined: the configuration has none, and nothing is to be done that was not done before. */
export function openParents(
  config: ParentsConfig,
  { dialTimeoutMs, direct, onChange, ...options }: OpenParentsOptions,
): OpenedParents | undefined {
  if (Object.keys(config.proxies).length === 0) return undefined
  const { hosts, addresses, isOwn } = options
  // A parent may stand inside, as the configuration says; and half of the time is left to its answer, or to the next one.
  const timeoutMs = Math.ceil(dialTimeoutMs / 2)
  const dial = createDial({ ...options, addresses: () => 'permitted', timeoutMs })
  const parents = new Parents({
    config,
    fixed: Object.keys(hosts),
    addresses,
    isOwn,
    dial,
    ...(onChange === undefined ? {} : { onChange }),
  })
  return { parents, dialTunnel: createParentDial({ parents, direct, timeoutMs: dialTimeoutMs }) }
}
