/** `GET /metrics`: the state of the lists and what the proxy workers have counted, for the city's monitoring. */
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { addUp, type Sample } from '../../metrics.ts'
import type { RouteDeps } from '../deps.ts'
import type { Health } from '../health.ts'
import { readListState, type ListState } from '../list-state.ts'
import { METRICS_TYPE, renderMetrics } from '../render-metrics.ts'
import { within } from '../within.ts'

/** For what the store tells. */
const PATIENCE_MS = 2_000

export function metricsRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/metrics', { config: { access: 'public', isForScripts: true } }, async (_, reply) => {
    const [state, workers] = await Promise.all([
      // Monitoring is read when something is wrong: without the store it tells the rest.
      within(PATIENCE_MS, readListState(deps)),
      deps.gather(),
    ])
    const samples = addUp([
      ...(state === undefined ? [] : ofLists(state)),
      ...(workers ?? unheard(deps.config)),
      ...(deps.ownSamples?.() ?? []),
      ...deps.limitTally.samples(),
      ...ofDisk(deps.health.latest),
    ])
    return reply.type(METRICS_TYPE).send(await renderMetrics(samples))
  })
}

/** Nobody could tell how the workers are; the lists are told of all the same. */
const unheard = ({ workers }: Config): Sample[] => [
  { name: 'preau_workers', value: workers },
  { name: 'preau_workers_silent', value: workers },
]

function ofDisk(health: Health | undefined): Sample[] {
  const value = health?.disk.freeBytes ?? undefined
  return value === undefined ? [] : [{ name: 'preau_data_free_bytes', value }]
}

function ofLists(state: ListState): Sample[] {
  const { lists, standings, sources, statuses, candidate, alarms } = state
  return [
    ...standings.flatMap(({ name, ageMs }): Sample[] =>
      ageMs === undefined
        ? []
        : [
            {
              name: 'preau_list_age_seconds',
              labels: { list: name },
              value: Math.round(ageMs / 1_000),
            },
          ],
    ),
    ...(lists?.body.lists ?? []).map(({ name, counts }): Sample => ({
      name: 'preau_list_hosts',
      labels: { list: name },
      value: Object.values(counts).reduce((sum, count) => sum + count, 0),
    })),
    ...sources
      .filter(({ enabled }) => enabled)
      .map(({ name }): Sample => ({
        name: 'preau_list_source_failures',
        labels: { list: name },
        value: statuses.get(name)?.failure?.times ?? 0,
      })),
    { name: 'preau_lists_candidate', value: candidate === undefined ? 0 : 1 },
    { name: 'preau_alarms', value: alarms.length },
  ]
}
