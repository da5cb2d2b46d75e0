/** The metrics that monitoring reads: one table of names, kinds and meanings. No personal data, no host, no address. */

interface Metric {
  /** Of the data plane: a counter is the sum over all workers and their restarts, a gauge is of one worker. */
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
}

/** deploy/README.md lists them; a test compares. */
export const METRICS = {
  preau_list_age_seconds: {
    type: 'gauge',
    help: 'time since the source of a list has answered, or since its import where no source fetches it',
  },
  preau_list_hosts: { type: 'gauge', help: 'domains of a list, summed over its categories' },
  preau_list_source_failures: {
    type: 'gauge',
    help: 'fetches of a source that failed in a row; 0 after a success',
  },
  preau_lists_candidate: {
    type: 'gauge',
    help: '1 while an update of the lists waits for a decision',
  },
  preau_alarms: {
    type: 'gauge',
    help: 'files of the lists that are damaged or do not come; the first page of the admin app names them',
  },
  preau_exchanges_total: {
    type: 'counter',
    help: 'ended requests and tunnels, by verdict and its reason; none: ended before it was judged',
  },
  preau_refusals_total: {
    type: 'counter',
    help: 'exchanges refused, or warned of, for a category',
  },
  preau_exchange_failures_total: {
    type: 'counter',
    help: 'exchanges that ended other than their verdict says, by error code',
  },
  preau_limits_reached_total: {
    type: 'counter',
    help: 'times that somebody ran into a limit of the configuration, by its key',
  },
  preau_client_bytes_total: {
    type: 'counter',
    help: 'bytes from clients (up) and to clients (down) in ended exchanges, heads included',
  },
  preau_decide_seconds: {
    type: 'histogram',
    help: 'time of a verdict, of one in 64',
  },
  preau_store_up: {
    type: 'gauge',
    help: '1 while the shared store answers, by worker and for the admin app',
  },
  preau_store_lost_acts: {
    type: 'gauge',
    help: 'acts that were confirmed and are missing since the store came back, by worker and for the admin app, since its start',
  },
  preau_store_seconds: {
    type: 'histogram',
    help: 'time of a call of the store, failed ones included, by kind of call (read, commit, permit)',
  },
  preau_store_failures_total: {
    type: 'counter',
    help: 'calls that the store did not answer, by kind of call',
  },
  preau_last_state_in_use: {
    type: 'gauge',
    help: '1 while a process decides on its last good state, because the store cannot be read',
  },
  preau_access_log_lost_lines_total: {
    type: 'counter',
    help: 'lines of the access log that found no place on the disk',
  },
  preau_ca_end_seconds: {
    type: 'gauge',
    help: 'when the CA of the city ends, in seconds since 1970',
  },
  preau_ca_usable: {
    type: 'gauge',
    help: '0 while a worker cannot use the CA, and refused HTTPS sites get no page',
  },
  preau_data_free_bytes: { type: 'gauge', help: 'free space where the data folder stands' },
  preau_dial_seconds: {
    type: 'histogram',
    help: 'time to resolve a name and connect, where that succeeded',
  },
  preau_parent_up: {
    type: 'gauge',
    help: '1 while a parent proxy answers, by its name and by worker; 0 from its first fault until it has answered again',
  },
  preau_dns_pending: { type: 'gauge', help: 'names that the DNS is being asked for, by worker' },
  preau_dns_unanswered_total: {
    type: 'counter',
    help: 'names of which the DNS said nothing in all its time; the log has their last two labels',
  },
  preau_leaf_certificates_total: {
    type: 'counter',
    help: 'certificates issued for the pages of refused HTTPS sites',
  },
  preau_cpu_seconds_total: { type: 'counter', help: 'processor time of the workers' },
  preau_restarts_total: {
    type: 'counter',
    help: 'processes that died, or hung and were ended, and came back, by role (proxy, admin)',
  },
  preau_workers: { type: 'gauge', help: 'proxy workers of the configuration' },
  preau_workers_up: { type: 'gauge', help: 'proxy workers that run and take connections' },
  preau_workers_draining: {
    type: 'gauge',
    help: 'proxy workers that have been replaced and let their tunnels end',
  },
  preau_workers_silent: {
    type: 'gauge',
    help: 'workers that run and did not answer in time: their gauges are missing, their counters old',
  },
  preau_exchanges_open: { type: 'gauge', help: 'requests and tunnels being relayed, by worker' },
  preau_connections_open: { type: 'gauge', help: 'client connections, by worker' },
  preau_event_loop_turn_seconds: {
    type: 'gauge',
    help: 'how long one turn of the event loop takes (quantile 1: the longest), over the last one to two minutes',
  },
  preau_resident_memory_bytes: { type: 'gauge', help: 'resident memory, by worker' },
  preau_open_descriptors: { type: 'gauge', help: 'open file descriptors, by worker' },
  preau_max_descriptors: { type: 'gauge', help: 'file descriptors that a worker may open' },
  preau_worker_uptime_seconds: { type: 'gauge', help: 'time since a worker was started' },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

/** One number. Histograms have several a metric: `part` says which of the three this is. */
export interface Sample {
  readonly name: MetricName
  readonly labels?: Readonly<Record<string, string>>
  readonly part?: 'bucket' | 'sum' | 'count'
  readonly value: number
}

/** Counters of the same name and labels added up; gauges as they are. */
export function addUp(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>()
  for (const sample of samples) {
    const { name, part, labels, value } = sample
    const key = JSON.stringify([name, part, labels])
    const before = isSummed(sample) ? (sums.get(key)?.value ?? 0) : 0
    sums.set(key, { ...sample, value: value + before })
  }
  return [...sums.values()]
}

/** Whether samples of several processes are added up; a gauge stays that of its process. */
export const isSummed = ({ name }: Sample): boolean => METRICS[name].type !== 'gauge'
