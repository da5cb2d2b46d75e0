/** What a scenario opens is closed when it ends, last first: the same for a test and for the soak. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { RedisHome } from '../support/redis.ts'

export interface Stage {
  /** A folder of its own, removed at the end. */
  readonly dir: string
  onEnd(end: () => unknown): void
  /** One line about what was seen. */
  say(text: string): void
}

/** For the servers that tests start. */
export const homeOf = (stage: Stage): RedisHome => ({
  testdirName: stage.dir,
  teardown: end => stage.onEnd(end),
})

export interface OwnStage extends Stage {
  close(): Promise<void>
}

export function openStage(say: (text: string) => void): OwnStage {
  const dir = mkdtempSync(join(tmpdir(), 'preau-outage-'))
  const ends: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  return {
    dir,
    say,
    onEnd: end => void ends.push(end),
    async close() {
      for (const end of ends.toReversed()) await end()
    },
  }
}

/** The stage of one test; what it says is printed with the figures. */
export function stageOf(t: Test): Stage {
  const stage = openStage(text => {
    t.comment(`measured: ${text}`)
  })
  t.teardown(() => stage.close())
  return stage
}
