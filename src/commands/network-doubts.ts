/** What the networks of a policy mean, in words, where it may not be what was meant. */
import {
  doubtKey,
  networkDoubts,
  type NetworkDoubt,
  type NetworkPlace,
} from '../policy/network-checks.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import { printable, type Terminal } from './terminal.ts'

/** Lines of one kind of doubt at most; a city of a hundred schools written in another way would fill the screen. */
const MAX_LINES = 40

/** Prints what is new to the policy in force; answers how many of these doubts must be confirmed. */
export function sayNetworkDoubts(
  before: PolicyDocument | undefined,
  after: PolicyDocument,
  { t, print, paint }: Terminal,
): number {
  const known = new Set((before === undefined ? [] : networkDoubts(before)).map(doubtKey))
  const doubts = networkDoubts(after).filter(doubt => !known.has(doubtKey(doubt)))
  const toConfirm = doubts.filter(({ kind }) => kind === 'inside')
  const others = doubts.filter(({ kind }) => kind !== 'inside')
  for (const shown of [toConfirm, others]) {
    for (const doubt of shown.slice(0, MAX_LINES)) print(paint('yellow', `! ${lineOf(doubt, t)}`))
    const more = shown.length - MAX_LINES
    if (more > 0) print(t('policy.moreDoubts', { count: more }))
  }
  return toConfirm.length
}

function lineOf(doubt: NetworkDoubt, t: Terminal['t']): string {
  const { network } = doubt.of
  const place = whereOf(doubt.of)
  if (doubt.kind !== 'inside') return t(`policy.doubt.${doubt.kind}`, { network, place })
  const { around } = doubt
  return t('policy.doubt.inside', {
    network,
    place,
    around: around.network,
    other: whereOf(around),
  })
}

const whereOf = ({ room, site, uai }: NetworkPlace): string =>
  printable(`${room}, ${site} (${uai})`)
