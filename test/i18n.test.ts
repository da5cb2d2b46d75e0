import t from 'tap'
import { globSync, readFileSync } from 'node:fs'
import { createTexts, negotiateLocale } from '../src/i18n.ts'
import { CHECKS } from '../src/policy/verdict.ts'

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>

t.test('French and English have the same texts, with the same blanks to fill', async t => {
  const french = globSync('views/locales/*.fr.json')
  t.ok(french.length >= 3)
  const blanks = (text: string) =>
    [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? ''))].toSorted()
  for (const file of french) {
    const [fr, en] = [read(file), read(file.replace('.fr.', '.en.'))]
    t.strictSame(Object.keys(fr).sort(), Object.keys(en).sort(), file)
    for (const key of Object.keys(fr))
      t.strictSame(blanks(fr[key]!), blanks(en[key] ?? ''), `${file}: ${key}`)
  }
})

t.test('each check of the policy has its name, in the panel and on the terminal', async t => {
  const [panel, terminal] = [read('views/locales/admin.fr.json'), read('views/locales/cli.fr.json')]
  for (const { id } of [...CHECKS, { id: 'default' }]) {
    t.ok(panel[`reason.${id}`], `panel: ${id}`)
    t.ok(terminal[`check.${id}`], `terminal: ${id}`)
  }
})

t.test('no text is kept that nothing says', async t => {
  const code = globSync(['src/**/*.{ts,js}', 'views/**/*.{eta,js}'])
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  const isWritten = (key: string): boolean => code.includes(`'${key}'`)
  // `audit.${action}`, `${'pending.pcs'}.${form}` and `${area}.city`: what is written of it must be there.
  const templates = [...code.matchAll(/`([\w.-]*)\$\{[^`]*?\}([^`]*)`/g)]
  const [begins, ends] = [1, 2].map(i => new Set(templates.map(found => found[i] ?? '')))
  const isComposed = (key: string): boolean =>
    [...key.matchAll(/\./g)].some(({ index }) => {
      const [begin, end] = [key.slice(0, index), key.slice(index)]
      return (
        begins?.has(`${begin}.`) || (isWritten(begin) && (begin.includes('.') || ends?.has(end)))
      )
    })
  for (const file of globSync('views/locales/*.fr.json')) {
    for (const key of Object.keys(read(file)))
      t.ok(isWritten(key) || isComposed(key), `${file}: ${key}`)
  }
})

t.test('French is spoken unless English is clearly preferred', async t => {
  const rows: [string | undefined, string][] = [
    [undefined, 'fr'],
    ['fr-FR,fr;q=0.9,en;q=0.8', 'fr'],
    ['en-US,en;q=0.9', 'en'],
    ['en-US,en;q=0.9,fr;q=0.8', 'en'],
    ['de-DE,de;q=0.9', 'fr'],
    ['de,en;q=0.5', 'en'],
    ['*', 'fr'],
    ['x'.repeat(10_000), 'fr'],
    ['en;q=oops', 'en'],
  ]
  for (const [header, expected] of rows)
    t.equal(negotiateLocale(header), expected, header?.slice(0, 40) ?? 'none')
})

t.test('a text fills its blanks and leaves unknown ones visible', async t => {
  const texts = createTexts({ fr: { a: '{x} et {y}' }, en: { a: '{x} and {y}' } })
  t.equal(texts('fr')('a', { x: 1, y: 2 }), '1 et 2')
  t.equal(texts('en')('a', { x: 1 }), '1 and {y}')
})
