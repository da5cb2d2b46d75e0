/** The text of a scrape (Prometheus). */
import { AggregatorRegistry, Registry } from 'prom-client'
import { METRICS, type Sample } from '../metrics.ts'

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Every metric is there, also without a sample: what is absent raises no alarm. */
export function renderMetrics(samples: readonly Sample[]): Promise<string> {
  const families = Object.entries(METRICS).map(([name, metric]) => ({
    ...metric,
    name,
    values: samples.filter(sample => sample.name === name).map(valueOf),
    aggregator: 'sum',
  }))
  // One registry a scrape: two scrapes at once never mix, and a list that was removed is gone from the next.
  return AggregatorRegistry.aggregate([families]).metrics()
}

const valueOf = ({ name, labels = {}, part, value }: Sample) =>
  part === undefined ? { labels, value } : { labels, value, metricName: `${name}_${part}` }
