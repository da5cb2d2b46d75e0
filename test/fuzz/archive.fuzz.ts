/** UT1 archives, damaged in the tar and in the gzip: read or refused, with no file outside their folder and no end of memory. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { importList } from '../../src/categories/lists.ts'
import { readArchive } from '../../src/categories/reading/read-source.ts'
import { Unpacking } from '../../src/categories/reading/unpacking.ts'
import { PreauError } from '../../src/errors.ts'
import type { ListsVersion } from '../../src/policy/lists.ts'
import { paxRecord, rawArchive } from '../categories/fixtures/raw-tar.ts'
import { measureSelf } from './engine/measure.ts'
import { mutate } from './engine/mutate.ts'
import { createRandom, seedOf, type Random } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const catalogue = loadCatalogue()
const LIMITS = { entries: 100, bytes: 2 ** 20 }
const BLOCK = 512
const NOW = Date.UTC(2026, 8, 14)

const games = { name: 'blacklists/games/domains', content: 'play.example\nfun.example\n' }
const ai = { name: 'blacklists/ai/domains', content: 'bot.example\n' }
const TARS = [
  [games, ai, { name: 'blacklists/games/urls', content: 'page.example/x\n' }],
  [
    { name: 'blacklists/', type: '5' },
    games,
    { name: 'blacklists/porn', type: '2', link: 'adult' },
    { name: 'blacklists/games/usage', content: 'black\n' },
    {
      name: 'blacklists/global_usage',
      content: 'NAME: games\nDEFAULT_TYPE: black\nNAME FR: Jeux\n',
    },
  ],
  [
    { name: 'PaxHeader', type: 'x', content: paxRecord('path', 'blacklists/vpn/domains') },
    ai,
    games,
  ],
  [{ name: '././@LongLink', type: 'L', content: 'blacklists/chat/domains\0' }, ai],
  [{ name: 'games/expressions', content: '(play|fun)\\.example\n' }, games],
].map(entries => gunzipSync(rawArchive(entries)))

const mutation = {
  seeds: TARS,
  words: [
    ...'blacklists/|games|adult|/domains|/urls|/usage|../|/../../|/etc/passwd|./|\\|ustar|\0|\n'.split(
      '|',
    ),
    ...'path=|linkpath=|size=|00000000001|77777777777|00000002000|12 path=a\n|99999 path=\n'.split(
      '|',
    ),
    '0',
    '1',
    '2',
    '3',
    '5',
    '7',
    'x',
    'g',
    'L',
    'K',
    '\x80\0\0\0\xff',
    'x'.repeat(200),
  ],
  maxBytes: 60_000,
}

/** A header with a wrong sum is refused at once: most damaged ones get a right sum, so that what is behind it is met. */
function mendSums(tar: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= tar.length; at += BLOCK) {
    if (tar.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    tar.write(' '.repeat(8), at + 148)
    const sum = tar.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
  }
  return tar
}

function make(random: Random): Buffer {
  const tar = mutate(random, mutation)
  const packed = gzipSync(random.oneIn(6) ? tar : mendSums(tar), { level: 1 })
  if (!random.oneIn(4)) return packed
  return mutate(random, { seeds: [packed], words: ['\x1f\x8b', '\0', '\xff\xff\xff\xff'] })
}

const isRefusal = (error: unknown): boolean =>
  error instanceof PreauError &&
  ['PREAU_LIST_REFUSED', 'PREAU_FILE_UNREADABLE'].includes(error.code)

class Reading {
  readonly #folder: string
  readonly #path: string
  #version: ListsVersion | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.#path = join(folder, 'archive')
  }

  async check(bytes: Buffer): Promise<void> {
    writeFileSync(this.#path, bytes)
    const kept = join(this.#folder, 'kept')
    rmSync(kept, { recursive: true, force: true })
    mkdirSync(kept)
    const into = new Unpacking(this.#path, kept, catalogue, LIMITS)
    const wrapped = { path: this.#path, gzips: 1 }
    const error = await readArchive(wrapped, into, () => {}).catch((reason: unknown) => reason)
    promise(error === undefined || isRefusal(error), `not a refusal: ${String(error)}`)
    const files = readdirSync(kept)
    promise(
      files.every(name => /^[\w-]+(?:\.\w+){1,2}$/.test(name)),
      `kept ${files.join()}`,
    )
    rmSync(kept, { recursive: true })
    const names = readdirSync(this.#folder).filter(name => name !== 'data')
    promise(names.join() === 'archive', `left beside the folder: ${names.join()}`)
    if (createRandom(seedOf(bytes)).oneIn(40)) await this.#import()
  }

  /** The whole way, for some: a refused import leaves nothing, one that is taken leaves what the version names. */
  async #import(): Promise<void> {
    const dataDir = join(this.#folder, 'data')
    const lists = join(dataDir, 'lists')
    mkdirSync(lists, { recursive: true })
    const before = readdirSync(lists)
    const request = { dataDir, current: this.#version, path: this.#path, catalogue, now: NOW }
    const taken = await importList({ ...request, limits: LIMITS }).catch((error: unknown) => {
      promise(isRefusal(error), `not a refusal: ${String(error)}`)
      promise(readdirSync(lists).join() === before.join(), 'a refused import left something')
    })
    if (taken === undefined) return
    rmSync(dataDir, { recursive: true })
  }
}

export const archive: FuzzTarget = {
  name: 'archive',
  bounded: 150,
  open: async scope => {
    const reading = new Reading(scope.testdir())
    return {
      batch: 50,
      make,
      attempt: async inputs => {
        for (const input of inputs) await reading.check(input)
      },
      measure: measureSelf,
    }
  },
}
