/** `GET /metrics`: the state of the lists and what the proxy workers have counted, for the city's monitoring. */
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import type { Sample } from '../../metrics.ts'
import type { RouteDeps } from '../deps.ts'
import { readListState, type ListState } from '../list-state.ts'
import { METRICS_TYPE, renderMetrics } from '../render-metrics.ts'

export function metricsRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/metrics', { config: { access: 'public', isForScripts: true } }, async (_, reply) => {
    const [state, workers] = await Promise.all([readListState(deps), deps.gather()])
    const samples = [
      ...ofLists(state),
      ...(workers ?? unheard(deps.config)),
      ...deps.limitTally.samples(),
    ]
    return reply.type(METRICS_TYPE).send(await renderMetrics(samples))
  })
}

/** Nobody could tell how the workers are; the lists are told of all the same. */
const unheard = ({ workers }: Config): Sample[] => [
  { name: 'preau_workers', value: workers },
  { name: 'preau_workers_silent', value: workers },
]

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
