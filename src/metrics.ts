/** The metrics that monitoring reads: one table of names and meanings, and their text (Prometheus). No personal data. */
import { Gauge, Registry } from 'prom-client'

/** The README lists them from here. */
export const METRICS = {
  preau_list_age_seconds:
    'time since the source of a list has answered, or since its import where no source fetches it',
  preau_list_hosts: 'domains of a list, summed over its categories',
  preau_list_source_failures: 'fetches of a source that failed in a row; 0 after a success',
  preau_lists_candidate: '1 while an update of the lists waits for a decision',
  preau_alarms: 'alarms that stand on the first page of the admin app',
} as const

export type MetricName = keyof typeof METRICS

export interface Sample {
  readonly name: MetricName
  readonly value: number
  /** The list it is about. */
  readonly list?: string
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Every metric is there, also without a sample: what is absent raises no alarm. */
export function renderMetrics(samples: readonly Sample[]): Promise<string> {
  // One registry a scrape: two scrapes at once never mix, and a list that was removed is gone from the next.
  const registry = new Registry()
  for (const [name, help] of Object.entries(METRICS)) {
    const own = samples.filter(sample => sample.name === name)
    const labelNames = own.some(({ list }) => list !== undefined) ? ['list'] : []
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] })
    for (const { list, value } of own) gauge.set(list === undefined ? {} : { list }, value)
  }
  return registry.metrics()
}
