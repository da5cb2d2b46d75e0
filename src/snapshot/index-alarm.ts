/** The alarm about an index that could not be used: raised once for each machine, ended when it can be used again. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { causeOf, type PreauError } from '../errors.ts'
import { machineName } from '../machine.ts'
import { endAlarms, MAX_ALARMS, raiseAlarm } from '../shared-lists/list-alarms.ts'
import type { Store } from '../store/store.ts'

export interface TellDamage {
  readonly store: Store
  readonly config: Pick<Config, 'dataDir'>
  readonly clock: () => number
  readonly logger: Logger
  /** The name of the index in force. */
  readonly index: string
  /** undefined: it could be opened. */
  readonly damage: PreauError | undefined
}

/** Raises the alarm or ends it; false where the store cannot be written, and nothing depends on that. */
export async function tellDamage(options: TellDamage): Promise<boolean> {
  const { store, config, clock, logger, index: subject, damage } = options
  const machine = machineName(config)
  try {
    const at = clock()
    if (damage !== undefined) {
      const about = { kind: 'index-damaged', subject, machine } as const
      await raiseAlarm(store, { ...about, detail: causeOf(damage), at })
      return true
    }
    const alarms = await store.list('alarm', { limit: MAX_ALARMS })
    // Each machine has its own copy of an index: what is whole here may be damaged elsewhere.
    const isOurs = ({ body }: (typeof alarms)[number]): boolean =>
      store.files === undefined || (body.machine ?? machine) === machine
    const over = alarms.filter(alarm => alarm.body.kind === 'index-damaged' && isOurs(alarm))
    await endAlarms(store, over, at)
    return true
  } catch (cause) {
    logger.warn({ err: cause }, 'the alarm could not be written')
    return false
  }
}
