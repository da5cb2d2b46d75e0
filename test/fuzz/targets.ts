/** All that is fuzzed. */
import { address } from './address.fuzz.ts'
import { admin } from './admin.fuzz.ts'
import { archive } from './archive.fuzz.ts'
import { connectHead } from './connect-head.fuzz.ts'
import type { FuzzTarget } from './engine/target.ts'
import { hello } from './hello.fuzz.ts'
import { host } from './host.fuzz.ts'
import { listLines } from './list-lines.fuzz.ts'
import { policy } from './policy.fuzz.ts'
import { portal } from './portal.fuzz.ts'
import { answers } from './proxy/answers.fuzz.ts'
import { proxy } from './proxy/proxy.fuzz.ts'
import { tunnel } from './proxy/tunnel.fuzz.ts'

/** Functions and apps, called in the process of the test. */
export const FUNCTIONS: readonly FuzzTarget[] = [
  host,
  address,
  connectHead,
  hello,
  listLines,
  archive,
  policy,
  portal,
  admin,
]

/** Through a proxy worker in a process of its own. */
export const WORKERS: readonly FuzzTarget[] = [proxy, tunnel, answers]

export const TARGETS: readonly FuzzTarget[] = [...FUNCTIONS, ...WORKERS]
