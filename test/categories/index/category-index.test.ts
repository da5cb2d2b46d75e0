import * as fc from 'fast-check'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { crc32 } from 'node:zlib'
import { openCategoryIndex } from '../../../src/categories/index/category-index.ts'
import { IndexWriter } from '../../../src/categories/index/index-writer.ts'
import type { CategoryId } from '../../../src/policy/category.ts'
import { parseHost, suffixes, type Host } from '../../../src/policy/host.ts'

const host = (text: string): Host => {
  const parsed = parseHost(text)
  if (parsed === undefined) throw new TypeError(text)
  return parsed
}

const CATEGORIES = ['games', 'ai', 'press', 'vpn']
const tagOf = (writer: IndexWriter, category: CategoryId): number =>
  writer.tag({ list: 'test', category, kind: 'host' })

async function build(t: Test, pairs: readonly (readonly [string, CategoryId])[]) {
  const writer = new IndexWriter()
  for (const [name, category] of pairs) writer.addHost(tagOf(writer, category), host(name))
  const folder = t.testdir()
  const file = join(folder, 'index.bin')
  await writer.write(file)
  return { file, folder, writer }
}

t.test('a domain matches itself and its sub-domains, on label boundaries', async t => {
  const { file } = await build(t, [['example.com', 'games']])
  const { lookup } = await openCategoryIndex(file, { cacheEntries: 0 })
  for (const name of ['example.com', 'www.example.com', 'a.b.c.example.com'])
    t.same(lookup(host(name)), ['games'], name)
  for (const name of [
    'evil-example.com',
    'example.com.evil.org',
    'example.co',
    'xample.com',
    'com',
  ])
    t.same(lookup(host(name)), [], name)
})

t.test('a host has the categories of all levels together, sorted, frozen, and shared', async t => {
  const { file } = await build(t, [
    ['example.com', 'games'],
    ['example.com', 'press'],
    ['chat.example.com', 'ai'],
  ])
  const { lookup } = await openCategoryIndex(file, { cacheEntries: 0 })
  const set = lookup(host('www.chat.example.com'))
  t.same(set, ['ai', 'games', 'press'])
  t.ok(Object.isFrozen(set))
  t.equal(lookup(host('other.chat.example.com')), set)
  t.equal(lookup(host('a.example.com')), lookup(host('b.example.com')))
  t.equal(lookup(host('nowhere.net')), lookup(host('nothing.org')), 'one empty set')
})

t.test('an address matches exactly or not at all', async t => {
  const { file } = await build(t, [
    ['192.0.2.7', 'vpn'],
    ['2001:db8::1', 'vpn'],
  ])
  const { lookup } = await openCategoryIndex(file, { cacheEntries: 0 })
  t.same(lookup(host('192.0.2.7')), ['vpn'])
  t.same(lookup(host('[2001:DB8::1]')), ['vpn'])
  for (const name of ['192.0.2.70', '1.192.0.2', '2001:db8::11'])
    t.same(lookup(host(name)), [], name)
})

t.test('the index says the same as a plain map of strings', async t => {
  const label = fc.constantFrom('a', 'b', 'aa', 'ab', 'x-y', 'www')
  const name = fc.array(label, { minLength: 2, maxLength: 5 }).map(labels => host(labels.join('.')))
  const pairs = fc.array(fc.tuple(name, fc.constantFrom(...CATEGORIES)), { maxLength: 40 })
  const file = join(t.testdir(), 'index.bin')
  await fc.assert(
    fc.asyncProperty(pairs, fc.array(name, { maxLength: 20 }), async (listed, asked) => {
      const writer = new IndexWriter()
      const map = new Map<Host, Set<CategoryId>>()
      for (const [domain, category] of listed) {
        const before = map.get(domain) ?? new Set()
        writer.addHost(tagOf(writer, category), domain)
        map.set(domain, before.add(category))
      }
      const { hosts, counts } = writer.seal()
      if (hosts !== map.size) return false
      const total = [...map.values()].reduce((sum, set) => sum + set.size, 0)
      if ([...counts.values()].reduce((sum, count) => sum + count, 0) !== total) return false
      await writer.write(file)
      const { lookup } = await openCategoryIndex(file, { cacheEntries: 3 })
      return [...asked, ...asked].every(one => {
        const naive = new Set([...suffixes(one)].flatMap(domain => [...(map.get(domain) ?? [])]))
        return lookup(one).join() === [...naive].sort().join()
      })
    }),
    { numRuns: 60 },
  )
})

t.test('500,000 listed hosts are all found, and no wrong one of ten million others', async t => {
  const writer = new IndexWriter()
  const listed = 500_000
  for (let i = 0; i < listed; i++)
    writer.addHost(tagOf(writer, CATEGORIES[i % 4] ?? 'ai'), `h${i}.listed.example` as Host)
  const file = join(t.testdir(), 'index.bin')
  await writer.write(file)
  const { lookup, hosts } = await openCategoryIndex(file, { cacheEntries: 0 })
  t.equal(hosts, listed)
  let missed = 0
  for (let i = 0; i < listed; i++)
    if (lookup(`h${i}.listed.example` as Host)[0] !== CATEGORIES[i % 4]) missed++
  t.equal(missed, 0)
  let wrong = 0
  let seed = 42
  const letters = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0).toString(36)
  for (let i = 0; i < 10_000_000; i++)
    if (lookup(`${letters()}.${letters()}.example` as Host).length > 0) wrong++
  t.equal(wrong, 0)
})

t.test(
  'the cache answers what the index answers, and never holds more than it was given',
  async t => {
    const { file } = await build(t, [['example.com', 'games']])
    const { lookup } = await openCategoryIndex(file, { cacheEntries: 2 })
    for (let round = 0; round < 3; round++)
      for (const [name, set] of [
        ['www.example.com', ['games']],
        ['a.org', []],
        ['b.org', []],
      ] as const)
        t.same(lookup(host(name)), set)
  },
)

t.test(
  'a file that is missing, cut, changed in any byte or of another format is refused',
  async t => {
    const { file, folder } = await build(t, [['example.com', 'games']])
    t.same(readdirSync(folder), ['index.bin'], 'no temporary file is left')
    const good = readFileSync(file)
    const options = { cacheEntries: 0 }
    const rejected = { code: 'PREAU_INDEX_DAMAGED' }
    await t.rejects(openCategoryIndex(join(folder, 'none.bin'), options), rejected)
    await t.rejects(openCategoryIndex(folder, options), rejected)
    for (const length of [0, 3, 31, 36, good.length - 1]) {
      writeFileSync(file, good)
      truncateSync(file, length)
      await t.rejects(openCategoryIndex(file, options), rejected, `${length} bytes`)
    }
    for (let i = 0; i < 60; i++) {
      const changed = Buffer.from(good)
      const at = Math.floor((i / 60) * good.length)
      changed[at] = (changed[at] ?? 0) ^ 1
      writeFileSync(file, changed)
      await t.rejects(openCategoryIndex(file, options), rejected, `byte ${at}`)
    }
  },
)

t.test('a rightly summed file with a wrong shape is refused too', async t => {
  const { file } = await build(t, [['example.com', 'games']])
  const good = readFileSync(file)
  const change = async (name: string, edit: (bytes: Buffer) => void): Promise<void> => {
    const changed = Buffer.from(good)
    edit(changed)
    changed.writeUInt32LE(crc32(changed.subarray(0, -4)), changed.length - 4)
    writeFileSync(file, changed)
    const opened = openCategoryIndex(file, { cacheEntries: 0 })
    await t.rejects(opened, { code: 'PREAU_INDEX_DAMAGED' }, name)
  }
  await change('magic', bytes => bytes.writeUInt32LE(1, 0))
  await change('a later format', bytes => bytes.writeUInt32LE(99, 4))
  await change('header length', bytes => bytes.writeUInt32LE(8, 8))
  await change('directory bits', bytes => bytes.writeUInt32LE(3, 12))
  await change('number of records', bytes => bytes.writeUInt32LE(2, 16))
  await change('header text', bytes => bytes.write('not json', 32))
  await change('directory', bytes => bytes.writeUInt32LE(7, 32 + bytes.readUInt32LE(8) + 400))
  await change('number of a set', bytes => bytes.writeUInt16LE(9, bytes.length - 8))
  await change('no set', bytes => bytes.writeUInt16LE(0, bytes.length - 8))
})

t.test(
  'many names in one bucket, and one name said many times, are sorted all the same',
  async t => {
    const writer = new IndexWriter()
    const tags = CATEGORIES.map(category => tagOf(writer, category))
    for (let round = 0; round < 300; round++)
      for (const tag of tags) {
        writer.addKey(tag, 0x12345678, 1_000 - round)
        writer.addKey(tag, 0x12345678, 7)
      }
    const { hosts, counts } = writer.seal()
    t.equal(hosts, 301)
    t.same([...counts.values()], [301, 301, 301, 301])
    const file = join(t.testdir(), 'index.bin')
    await writer.write(file)
    await t.resolves(openCategoryIndex(file, { cacheEntries: 0 }))
  },
)

t.test(
  'more combinations of categories than an index can number are refused, not mixed up',
  async t => {
    const writer = new IndexWriter()
    const tags = Array.from({ length: 17 }, (_, i) => tagOf(writer, `c${i}`))
    for (let i = 1; i < 2 ** 17; i++)
      for (const [bit, tag] of tags.entries()) if ((i >> bit) & 1) writer.addKey(tag, i, i)
    t.throws(() => writer.seal(), { code: 'PREAU_LIST_REFUSED' })
  },
)

t.test('which lists say what of a host is told, for explaining', async t => {
  const writer = new IndexWriter()
  const ut1 = { list: 'ut1', category: 'games', kind: 'host' } as const
  const city = { list: 'city', category: 'games', kind: 'host' } as const
  writer.addHost(writer.tag(ut1), host('example.com'))
  writer.addHost(writer.tag(city), host('www.example.com'))
  const file = join(t.testdir(), 'index.bin')
  await writer.write(file)
  const { tagsOf } = await openCategoryIndex(file, { cacheEntries: 0 })
  t.same(tagsOf(host('www.example.com')), [ut1, city])
  t.same(tagsOf(host('example.com')), [ut1])
  t.same(tagsOf(host('example.org')), [])
})
