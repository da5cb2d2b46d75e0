/** What the portal knows about a refused exchange. It comes from the exchange, never from a form. */
import type { Target } from './host.ts'
import type { Client } from './network.ts'
import type { Refuse } from './verdict.ts'

export interface Refusal {
  readonly client: Client
  readonly target: Target
  readonly verdict: Refuse
  /** `https` when the page is served inside TLS that we ended on a refused CONNECT. */
  readonly scheme: 'http' | 'https'
}
