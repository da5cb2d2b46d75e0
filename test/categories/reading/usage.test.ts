import t from 'tap'
import { loadCatalogue } from '../../../src/categories/catalogue.ts'
import { decodeEntities } from '../../../src/categories/reading/text.ts'
import {
  findContradictions,
  joinUsages,
  parseGlobalUsage,
  parseUsage,
  type Usage,
} from '../../../src/categories/reading/usage.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

t.test('the usage of a folder is read among its other words and comments', async t => {
  t.same(parseUsage(bytes('# white\nblack\r\nchild\n white \nblack\n')), ['black', 'white'])
  t.same(parseUsage(bytes('white')), ['white'])
  t.same(parseUsage(bytes('')), [])
  t.same(parseUsage(bytes('blacklist\nwhite list\n')), [])
})

const GLOBAL = `# This is the global
NAME:\tagressif
DEFAULT_TYPE: black
DESC FR: Quelques sites : racistes.
NAME EN: Aggressive
NAME FR: Agr&eacute;ssif (anglais) &amp; autres
NAME DE: Gef&auml;hrliches

NAME:   press
DEFAULT_TYPE:\twhite
NAME FR:
NAME: odd
DEFAULT_TYPE: grey
`

t.test('global_usage gives the type and the French label of each folder', async t => {
  const usage = parseGlobalUsage(bytes(GLOBAL.replaceAll('\n', '\r\n')))
  t.same(Object.fromEntries(usage), {
    agressif: { global: 'black', label: 'Agréssif (anglais) & autres' },
    press: { global: 'white' },
    odd: {},
  })
  t.equal(
    parseGlobalUsage(Buffer.from('NAME: x\nNAME FR: Publicité', 'latin1')).get('x')?.label,
    'Publicité',
    'older copies are Latin-1',
  )
  const many = Array.from({ length: 3_000 }, (_, i) => `NAME: c${i}\nNAME FR: ${'x'.repeat(500)}`)
  const bounded = parseGlobalUsage(bytes(many.join('\n')))
  t.equal(bounded.size, 1_000)
  t.equal(bounded.get('c999')?.label?.length, 100)
})

t.test('HTML entities are decoded once, and nothing else is', async t => {
  const expected: Record<string, string> = {
    'Gef&auml;hrliches': 'Gefährliches',
    '&Ccedil;a, o&ugrave; &ecirc;tre, No&euml;l, ma&ntilde;ana, &Aring;':
      'Ça, où être, Noël, mañana, Å',
    'c&oelig;ur &laquo;&nbsp;x&nbsp;&raquo;': 'cœur «\u00A0x\u00A0»',
    '&#233;&#xE9;': 'éé',
    '&amp;eacute;': '&eacute;',
    '&lt;b&gt;': '<b>',
    '&inconnu; & &; &constructor; &#9999999;': '&inconnu; & &; &constructor; &#9999999;',
    'a&#27;[2Jb': 'a [2Jb',
  }
  for (const [text, decoded] of Object.entries(expected)) t.equal(decodeEntities(text), decoded)
})

const contradicts = (folder: string, usage: Usage): boolean =>
  findContradictions(new Map([[folder, usage]]), loadCatalogue()).length > 0

t.test('where folder, global_usage and catalogue disagree, it is told', async t => {
  t.same(
    findContradictions(
      new Map([['press', { types: ['black'], global: 'white' }]]),
      loadCatalogue(),
    ),
    [{ category: 'press', types: ['black'], global: 'white', severity: 'informative' }],
  )
  t.notOk(contradicts('games', { types: ['black'], global: 'black' }))
  t.notOk(contradicts('games', { types: ['black'] }), 'one of them may be silent')
  t.notOk(contradicts('games', { types: [], global: 'black' }))
  t.notOk(contradicts('bank', { types: ['white', 'black'], global: 'white' }), 'both is no side')
  t.ok(contradicts('games', { types: ['white'] }), 'against the catalogue')
  t.ok(contradicts('games', { types: [], global: 'white' }))
  t.ok(contradicts('ai', { types: ['black', 'white'], global: 'white' }))
  t.ok(contradicts('child', { types: ['white'], global: 'black' }), 'against each other')
  t.ok(contradicts('porn', { types: ['white'] }), 'under its other name')
  t.notOk(
    contradicts('unheard_of', { types: ['white'], global: 'black' }),
    'the catalogue is silent',
  )
})

t.test('what both say is joined for the folders that are there', async t => {
  const own = new Map([['press', parseUsage(bytes('black'))]])
  const joined = joinUsages(['press', 'agressif', 'nothing'], own, parseGlobalUsage(bytes(GLOBAL)))
  t.same(Object.fromEntries(joined), {
    press: { types: ['black'], global: 'white' },
    agressif: { types: [], global: 'black', label: 'Agréssif (anglais) & autres' },
  })
})
