/** Short texts of a source as people can read them: decoded, without HTML entities, without control characters. */

/** UTF-8, else Latin-1, which older lists are written in. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('latin1').decode(bytes)
  }
}

/** The combining marks that the names of Latin letters end in: `eacute` is `e` and an acute accent. */
const MARKS: Readonly<Record<string, string>> = {
  acute: '\u0301',
  cedil: '\u0327',
  circ: '\u0302',
  grave: '\u0300',
  ring: '\u030A',
  tilde: '\u0303',
  uml: '\u0308',
}

const NAMED: Readonly<Record<string, string>> = {
  AElig: 'Æ',
  aelig: 'æ',
  amp: '&',
  apos: "'",
  gt: '>',
  hellip: '…',
  laquo: '«',
  lt: '<',
  nbsp: '\u00A0',
  OElig: 'Œ',
  oelig: 'œ',
  quot: '"',
  raquo: '»',
  rsquo: '’',
  szlig: 'ß',
}

const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi
const ACCENTED = new RegExp(`^([A-Za-z])(${Object.keys(MARKS).join('|')})$`)

/** Decodes the entities that European texts use, once; others stay as they stand. */
export function decodeEntities(text: string): string {
  const decoded = text.replace(ENTITY, (entity, decimal, hexadecimal, name) => {
    if (typeof name === 'string') return named(name) ?? entity
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(hexadecimal, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity
  })
  // oxlint-disable-next-line no-control-regex -- a label must not write on the terminal that shows it
  return decoded.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
}

function named(name: string): string | undefined {
  const [, letter = '', mark = ''] = ACCENTED.exec(name) ?? []
  if (letter === '') return Object.hasOwn(NAMED, name) ? NAMED[name] : undefined
  return (letter + (MARKS[mark] ?? '')).normalize('NFC')
}
