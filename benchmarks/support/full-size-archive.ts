/** A UT1-like archive of 6.0 million domains, the same at every run: the real snapshot, where it is there, and made ones. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract as createExtract, pack as createPack } from 'tar-stream'

const MADE = { adult: 4_728_000, malware: 305_000, phishing: 305_000 }
const RECIPE = 'v3'
export const SNAPSHOT = new URL('../../../shared/data/ut1-2026-08-17.tar.gz', import.meta.url)

/** A small generator of numbers (mulberry32): the archive must be the same everywhere. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const ENDS = ['com', 'net', 'org', 'fr', 'de', 'ru', 'info', 'xyz', 'co.uk', 'com.br']
const SYLLABLES = ['ba', 'co', 'dri', 'fan', 'gel', 'hot', 'ki', 'lo', 'mex', 'nu', 'pra', 'sti']

/** The domain of a number: as long as real ones are, every fifth one a sub-domain of the one before. */
export function domainOf(number: number): string {
  const random = createRandom(
    Math.floor(number / 5) * 2_654_435 + (number % 5 === 4 ? 0 : number % 5),
  )
  const word = (): string => SYLLABLES[random(SYLLABLES.length)] ?? ''
  const name = `${word()}${word()}${word()}${random(2) ? word() : ''}${random(1e6).toString(36)}`
  const domain = `${name}.${ENDS[random(ENDS.length)]}`
  return number % 5 === 4 ? `w${number.toString(36)}.${domain}` : domain
}

function* linesOf(category: keyof typeof MADE): Generator<string> {
  // Malware and phishing are nearly the same list, and some of both is adult: hosts in several categories.
  const from = { adult: 0, malware: 4_600_000, phishing: 4_640_000 }[category]
  for (let i = 0; i < MADE[category]; i += 1_000) {
    let text = ''
    for (let n = i; n < Math.min(i + 1_000, MADE[category]); n++) text += `${domainOf(from + n)}\n`
    yield text
  }
}

/** Makes the archive unless it is there already; answers its path and whether the real snapshot is in it. */
export async function fullSizeArchive(): Promise<{ path: string; isReal: boolean }> {
  const isReal = existsSync(SNAPSHOT)
  const digest = createHash('sha256')
    .update(JSON.stringify([RECIPE, MADE, isReal]))
    .digest('hex')
  const path = join(tmpdir(), `preau-bench-${digest.slice(0, 12)}.tar.gz`)
  if (existsSync(path)) return { path, isReal }
  const pack = createPack()
  const written = pipeline(pack, createGzip({ level: 3 }), createWriteStream(`${path}.partial`))
  for (const category of ['adult', 'malware', 'phishing'] as const) {
    const parts = [...linesOf(category)].map(text => Buffer.from(text))
    const content = Buffer.concat(parts)
    const entry = pack.entry({ name: `blacklists/${category}/domains`, size: content.length })
    entry.end(content)
  }
  if (isReal) await copyOthers(pack)
  pack.finalize()
  await written
  renameSync(`${path}.partial`, path)
  return { path, isReal }
}

async function copyOthers(pack: ReturnType<typeof createPack>): Promise<void> {
  const extract = createExtract()
  const read = pipeline(createReadStream(SNAPSHOT), createGunzip(), extract)
  for await (const entry of extract) {
    const chunks: Buffer[] = []
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
    if (!/\/(?:adult|malware|phishing)\/domains/.test(entry.header.name))
      pack.entry(entry.header, Buffer.concat(chunks))
  }
  await read
}
