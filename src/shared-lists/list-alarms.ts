/** The alarms of a machine about files of the lists: raised once, ended when it is over for this machine. */
import type { Alarm } from '../policy/alarm.ts'
import type { Change } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'

export const MAX_ALARMS = 100

export async function raiseAlarm(
  store: Store,
  alarm: Alarm & { readonly machine: string },
): Promise<void> {
  const { kind, subject, machine, at } = alarm
  const id = `${kind}:${subject}:${machine}`
  if ((await store.get('alarm', id)) !== undefined) return
  const note = { by: 'system', action: `alarm.${kind}`, subject, detail: { machine }, at }
  await store.commit(note, [{ kind: 'alarm', id, expects: 'absent', body: alarm }])
}

/** Ends what is over; nothing to end writes nothing. */
export async function endAlarms(
  store: Store,
  over: readonly Stored<'alarm'>[],
  at: number,
): Promise<void> {
  const [first] = over
  if (first === undefined) return
  const note = { by: 'system', action: 'alarm.over', subject: first.body.subject, at }
  const changes = over.map(({ id, version }): Change => ({
    kind: 'alarm',
    id,
    expects: version,
    body: null,
  }))
  await store.commit(note, changes)
}
