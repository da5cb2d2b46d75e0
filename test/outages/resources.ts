/** Memory and descriptors of every part of a running Préau, at one moment. */
import { countDescriptors, residentBytes } from '../support/process-state.ts'
import type { City } from './city.ts'

export interface Use {
  readonly role: 'supervisor' | 'worker' | 'admin'
  /** Of all processes of that role together. */
  readonly megabytes: number
  readonly descriptors: number
}

export function useOf(city: City): Use[] {
  const { supervisor, workers, admin } = city.processes()
  return [
    sum('supervisor', [supervisor]),
    sum('worker', workers),
    sum('admin', admin === undefined ? [] : [admin]),
  ]
}

function sum(role: Use['role'], pids: readonly number[]): Use {
  const total = (measure: (pid: number) => number): number =>
    pids.map(measure).reduce((all, one) => all + one, 0)
  return { role, megabytes: total(residentBytes) / 1_048_576, descriptors: total(countDescriptors) }
}
