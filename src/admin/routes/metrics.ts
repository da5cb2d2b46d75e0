/** `GET /metrics`: how old the lists are and what is wrong with them, for the city's monitoring. */
import type { FastifyInstance } from 'fastify'
import { METRICS_TYPE, renderMetrics, type Sample } from '../../metrics.ts'
import type { RouteDeps } from '../deps.ts'
import { readListState, type ListState } from '../list-state.ts'

export function metricsRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/metrics', { config: { access: 'public', isForScripts: true } }, async (_, reply) => {
    const text = await renderMetrics(samplesOf(await readListState(deps)))
    return reply.type(METRICS_TYPE).send(text)
  })
}

function samplesOf(state: ListState): Sample[] {
  const { lists, standings, sources, statuses, candidate, alarms } = state
  return [
    ...standings.flatMap(({ name, ageMs }): Sample[] =>
      ageMs === undefined
        ? []
        : [{ name: 'preau_list_age_seconds', list: name, value: Math.round(ageMs / 1_000) }],
    ),
    ...(lists?.body.lists ?? []).map(({ name, counts }): Sample => ({
      name: 'preau_list_hosts',
      list: name,
      value: Object.values(counts).reduce((sum, count) => sum + count, 0),
    })),
    ...sources
      .filter(({ enabled }) => enabled)
      .map(({ name }): Sample => ({
        name: 'preau_list_source_failures',
        list: name,
        value: statuses.get(name)?.failure?.times ?? 0,
      })),
    { name: 'preau_lists_candidate', value: candidate === undefined ? 0 : 1 },
    { name: 'preau_alarms', value: alarms.length },
  ]
}
