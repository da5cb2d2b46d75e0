/** What an import did, in numbers that a DSI can check against the source; whether it is in force, and what to type next. */
import type { ImportReport } from '../categories/lists.ts'
import type { Catalogue } from '../policy/category.ts'
import type { UpdateOutcome } from '../updates/update-list.ts'
import { printHolds, printRehearsal } from './candidate.ts'
import { printable, type Terminal } from './terminal.ts'

const SAMPLES = 5

/** What the import did, then whether it is in force and what to type next. */
export function printOutcome(
  { kind, report, rehearsal, holds }: UpdateOutcome,
  catalogue: Catalogue,
  terminal: Terminal,
): void {
  const { t, print } = terminal
  printReport(report, terminal)
  if (rehearsal !== undefined && kind !== 'unchanged')
    printRehearsal(rehearsal, catalogue, terminal)
  if (kind === 'unchanged') print(t('lists.unchanged'))
  if (kind !== 'waiting')
    print(t('lists.next', { example: printable(report.example ?? 'fr.wikipedia.org') }))
  else {
    printHolds(holds, catalogue, terminal)
    print(t('candidate.next'))
  }
}

function printReport(report: ImportReport, { t, print, locale }: Terminal): void {
  const counts = Object.entries(report.counts)
  const format = new Intl.NumberFormat(locale)
  const domains = counts.reduce((sum, [, count]) => sum + count, 0)
  print(
    t('lists.done', {
      domains: format.format(domains),
      name: report.name,
      categories: counts.length,
      seconds: format.format(Math.round(report.elapsedMs / 100) / 10),
    }),
  )
  if (report.refusedLines > 0) {
    print(t('lists.refused', { count: format.format(report.refusedLines) }))
    printSamples(report.refusedSamples, print)
  }
  const { lines, suffixLines, suffixes, serviceLines, services, files, fileNames } = report.remarks
  if (lines > 0) {
    print(t('lists.left', { count: format.format(lines) }))
    printSamples(report.leftSamples, print)
  }
  const printNames = (names: typeof suffixes): void =>
    print(`  ${printable(names.map(({ host, category }) => `${host} (${category})`).join(', '))}`)
  if (suffixLines > 0) {
    print(t('lists.suffixes', { count: format.format(suffixLines) }))
    printNames(suffixes)
  }
  if (serviceLines > 0) {
    print(t('lists.services', { count: format.format(serviceLines) }))
    printNames(services.slice(0, SAMPLES))
  }
  if (files > 0) print(t('lists.ignored', { count: files, names: printable(fileNames.join(', ')) }))
  if (report.contradictions.length > 0) {
    const names = report.contradictions.map(({ category }) => category).join(', ')
    print(t('lists.contradictions', { names: printable(names) }))
  }
  const aliases = Object.entries(report.aliases).map(([name, category]) => `${name} = ${category}`)
  if (aliases.length > 0) print(t('lists.aliases', { names: printable(aliases.join(', ')) }))
  if (report.unknownCategories.length > 0) {
    print(t('lists.unknown', { names: printable(report.unknownCategories.join(', ')) }))
  }
}

function printSamples(samples: ImportReport['refusedSamples'], print: Terminal['print']): void {
  for (const { file, line, text } of samples.slice(0, SAMPLES))
    print(`  ${printable(file)}:${line}  ${printable(text)}`)
}
