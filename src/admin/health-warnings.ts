/** What the first page warns of, from how everything is: each in words that say what to do. */
import { warningText } from '../store/wording.ts'
import { endsSoon, MANY_RESTARTS, type Health } from './health.ts'
import type { StripWarning } from './list-strip.ts'
import type { Wording } from './wording.ts'

export function healthWarnings(health: Health | undefined, words: Wording): StripWarning[] {
  if (health === undefined) return []
  const { t, locale } = words
  const { store, workers, lastState, log, unknown, dns, parents, disk, descriptors, authority } =
    health
  const { isTold, configured, up, silent, restarts } = workers
  const texts = [
    ...store.warnings.map(warning => warningText(warning, locale)),
    lastState.processes > 0 && t('health.lastState', { count: lastState.processes }),
    !isTold && t('health.alone'),
    isTold && up < configured && t('health.missing', { up, configured }),
    silent > 0 && t('health.silent', { silent, configured }),
    restarts >= MANY_RESTARTS && t('health.restarts', { restarts }),
    disk.state !== 'ok' &&
      t('health.disk', { free: words.number(Math.round((disk.freeBytes ?? 0) / 1e6)) }),
    log.lostLines > 0 && t('health.log', { lines: words.number(log.lostLines) }),
    unknown.refused > 0 && t('health.unknown', { count: words.number(unknown.refused) }),
    parents.out.length > 0 && t('health.parents', { names: parents.out.join(', ') }),
    dns.state !== 'ok' && t('health.dns', { count: words.number(dns.unanswered) }),
    descriptors.state !== 'ok' &&
      t('health.descriptors', { open: descriptors.open ?? 0, max: descriptors.max ?? 0 }),
    !authority.isUsable && t('health.authority'),
    endsSoon(authority.endsInDays) && t('health.authorityEnds', { days: authority.endsInDays }),
  ]
  return texts.filter(text => text !== false).map(text => ({ kind: 'problem', text }))
}
