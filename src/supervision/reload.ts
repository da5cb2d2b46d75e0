/** SIGHUP: reads the configuration again and replaces every process, one request at a time, and says what came of it. */
import type { Config } from '../config.ts'
import { compareConfigs, type ConfigChange } from './config-change.ts'
import type { Supervisor } from './supervisor.ts'

export type Reload =
  /** What cannot be read, or is wrong, changes nothing. */
  | { readonly outcome: 'refused'; readonly error: unknown }
  /** Nothing has changed but the processes that were replaced and went back. */
  | { readonly outcome: 'failed'; readonly error: unknown }
  | ({ readonly outcome: 'done' } & Omit<ConfigChange, 'config'>)

export interface ReloadOptions {
  readonly supervisor: Pick<Supervisor, 'config' | 'isStopping' | 'replaceAll'>
  /** Throws where there is no good configuration. */
  readonly readConfig: () => Config
  readonly onBegin: () => void
  readonly onEnd: (reload: Reload) => void
}

/** Answers the function that asks for one. What is asked while one is under way is done once more after it. */
export function createReload(options: ReloadOptions): () => void {
  const { supervisor, onBegin, onEnd } = options
  let isUnderWay = false
  let isAskedAgain = false
  const work = async (): Promise<void> => {
    isUnderWay = true
    do {
      isAskedAgain = false
      onBegin()
      const reload = await reloadOnce(options)
      if (!supervisor.isStopping) onEnd(reload)
    } while (isAskedAgain && !supervisor.isStopping)
    isUnderWay = false
  }
  return () => {
    if (isUnderWay) isAskedAgain = true
    else if (!supervisor.isStopping) void work()
  }
}

async function reloadOnce({ supervisor, readConfig }: ReloadOptions): Promise<Reload> {
  let change: ConfigChange
  try {
    change = compareConfigs(supervisor.config, readConfig())
  } catch (error) {
    return { outcome: 'refused', error }
  }
  try {
    await supervisor.replaceAll(change.config)
  } catch (error) {
    return { outcome: 'failed', error }
  }
  const { changed, waiting } = change
  return { outcome: 'done', changed, waiting }
}
