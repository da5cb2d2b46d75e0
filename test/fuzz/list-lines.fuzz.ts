/** Lines of lists in every format, and whole files of them: no line is read in two ways, none makes the reader slow. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { hostKey, keyOfBytes } from '../../src/categories/index/host-key.ts'
import { IndexWriter } from '../../src/categories/index/index-writer.ts'
import { MAX_LINE_LENGTH, readByteLines } from '../../src/categories/reading/byte-lines.ts'
import { readExpressions } from '../../src/categories/reading/expression-line.ts'
import { indexDomains, indexPages } from '../../src/categories/reading/index-lists.ts'
import { parseListLine } from '../../src/categories/reading/list-line.ts'
import { decodeEntities, decodeText } from '../../src/categories/reading/text.ts'
import { suffixFilter } from '../../src/categories/reading/public-suffix.ts'
import { parseUrlLine } from '../../src/categories/reading/url-line.ts'
import { parseGlobalUsage, parseUsage } from '../../src/categories/reading/usage.ts'
import { linkTarget, placeFile, safePath } from '../../src/categories/reading/ut1-layout.ts'
import { isAddress, parseHost, type Host } from '../../src/policy/host.ts'
import { measureSelf } from './engine/measure.ts'
import { latin1, mutate } from './engine/mutate.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const isListable = (host: Host): boolean =>
  parseHost(host) === host && (host.includes('.') || isAddress(host))

function checkDomainLine(bytes: Buffer, start: number, end: number): void {
  const text = bytes.toString('utf8', start, end)
  const parsed = parseListLine(text)
  if (parsed.kind === 'hosts')
    for (const host of parsed.hosts) promise(isListable(host), `line -> ${host}`)
  // The way without a string must say what the parser says.
  const key = keyOfBytes(bytes, start, end)
  if (key === undefined) return
  const { high, low } = key
  const only = parsed.kind === 'hosts' && parsed.hosts.length === 1 ? parsed.hosts[0] : undefined
  promise(only !== undefined, `a key for what the parser refuses: ${JSON.stringify(text)}`)
  const other = hostKey(only)
  promise(other.high === high && other.low === low, `two keys for ${JSON.stringify(text)}`)
}

function checkUrlLine(text: string): void {
  const parsed = parseUrlLine(text)
  if (parsed.kind !== 'page') return
  promise(isListable(parsed.host), `page of ${parsed.host}`)
  promise(/^\/[\x21-\x7e]*$/.test(parsed.path), `page ${parsed.path}`)
}

function checkPath(text: string): void {
  const path = safePath(text)
  if (path === undefined) return
  promise(!/(?:^|\/)\.\.(?:\/|$)|^\/|\\|\0/.test(path), `path ${path}`)
  placeFile(path)
  const target = linkTarget(path, text)
  promise(target === undefined || !/^(?:\/|\.\.(?:\/|$))/.test(target), `link to ${target}`)
}

const ADDRESSES = ['games.test/', 'free.test/a/b.html?c=d', `${'a'.repeat(3_000)}.test/`]

async function checkFile(file: string, bytes: Buffer): Promise<void> {
  writeFileSync(file, bytes)
  let lines = 0
  await readByteLines(file, (held, start, end, line, isTooLong) => {
    promise(line === ++lines && end - start <= MAX_LINE_LENGTH, `line ${line}`)
    if (!isTooLong) checkDomainLine(held, start, end)
    const text = held.toString('utf8', start, end)
    checkUrlLine(text)
    checkPath(text)
  })
  const expected = bytes.toString('latin1').replace(/\n$/, '').split('\n').length
  promise(lines === (bytes.length === 0 ? 0 : expected), `${lines} lines of ${expected}`)
  const writer = new IndexWriter()
  const tag = writer.tag({ list: 'x', category: 'x', kind: 'host' })
  await indexDomains(writer, { file, tag, suffixes: suffixFilter('games', loadCatalogue()) })
  const page = writer.tag({ list: 'x', category: 'x', kind: 'page' })
  await indexPages(writer, { page, host: page }, file)
  await readExpressions(file, ({ matches }) => ADDRESSES.forEach(matches))
  for (const { label = '' } of parseGlobalUsage(bytes).values())
    promise(label.length <= 100, 'a label without end')
  parseUsage(bytes)
  decodeEntities(decodeText(bytes))
}

const mutation = {
  seeds: [
    ...latin1([
      'games.test\n.games.test\n*.games.test\nGAMES.test \ngames.test:443\nhttp://games.test/\n# comment\n\n',
      '0.0.0.0 games.test www.games.test # x\n127.0.0.1 localhost\n::1 ip6-localhost\n10.0.0.1\n2001:db8::1\n',
      '[Adblock Plus 2.0]\n! Title: x\n||games.test^\n||games.test^$third-party\n@@||free.test^\ngames.test##.ad\n',
      'games.test/play\nhttp://games.test/play?x=1\ngames.test/#top\n[2001:db8::1]:80/x\ngames.test/%7Ea\n',
      '(^|[-.])games[0-9]{1,3}\\.(test|example)/\n.*\\.(exe|zip)$\n[[:alpha:]]+x{2,5}\n^(a|b)*c$\n(?i)no\n',
      'black\nwhite\n# usage\nNAME: games\nDEFAULT_TYPE: black\nNAME FR: Jeux &eacute;lectroniques &#233;\n',
      'blacklists/games/domains\n../../etc/passwd\nblacklists/./x/../y\n/etc/passwd\na\\b\n',
      '\xef\xbb\xbfgames.test\r\nfree.test\r\n',
    ]),
    Buffer.from('bücher.example\nexemple。fr\ng\u00adames.test\nexemple.fr/été\n'),
  ],
  words: [
    ...'.|*.|||^|@@|##|#|!|[|]|/|//|..|:|:443|http://|0.0.0.0 |::1 |$|%|\\|(|)|{1000}|{1,9999}|*|+|?|[^]|[:alpha:]'.split(
      '|',
    ),
    '|',
    '||',
    '\n',
    '\r\n',
    '\0',
    '\t',
    '\xef\xbb\xbf',
    '&',
    '&#x110000;',
    '&amp;',
    'NAME:',
    'NAME FR:',
    'com',
    'a'.repeat(64),
    'a'.repeat(2_100),
    '(a*)*',
    '(((((',
    'xn--',
    'localhost',
    'games.test',
  ],
  maxBytes: 20_000,
}

export const listLines: FuzzTarget = {
  name: 'list-lines',
  bounded: 250,
  open: async scope => {
    const file = join(scope.testdir(), 'list')
    return {
      batch: 50,
      make: random => mutate(random, mutation),
      attempt: async inputs => {
        for (const input of inputs) await checkFile(file, input)
      },
      measure: measureSelf,
    }
  },
}
