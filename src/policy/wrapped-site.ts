/**
 * Sites that are reached through another: a translator, a cache or an archive fetches one and shows it under its own
 * name. What stands inside is judged too, as far as it can be seen: inside TLS only the host is.
 */
import { domainToUnicode } from 'node:url'
import { parseHumanHost, type Target } from './host.ts'
import { normalPath } from './page-path.ts'

/** `www-example-com.translate.goog` is `www.example.com`: dots became hyphens, hyphens were doubled. */
const BY_LABEL = ['.translate.goog', '.cdn.ampproject.org', '.bing-amp.com']
/** The address stands in the path or the query, and is seen over plain HTTP only. */
const BY_PATH = new Set([
  'web.archive.org',
  'webcache.googleusercontent.com',
  'translate.google.com',
  'translate.google.fr',
  'translate.yandex.com',
])
// `/web/2020/http://x/y`, `/web/2020/x`, `?u=http%3A%2F%2Fx`, `?q=cache:x`: the host, and what stands behind it.
const SCHEME = String.raw`https?(:|%3A)(?:\/|%2F){1,2}`
const USER = String.raw`(?:[^/?&#]{0,256}?(?:@|%40))?`
const INNER = new RegExp(
  String.raw`(?:^\/web\/[^/]*\/(?:${SCHEME})?|${SCHEME}|=cache(:|%3A))${USER}([^/?&#%:]+)([^#]*)`,
  'i',
)

const NONE: readonly Target[] = []

/** The sites inside: none for nearly every target, several where a name can be read in more than one way. */
export function wrappedSites({ host, port, path }: Target): readonly Target[] {
  for (const suffix of BY_LABEL) {
    if (!host.endsWith(suffix)) continue
    return readLabel(host.slice(0, -suffix.length)).flatMap(name => named(name, { port }))
  }
  if (path === undefined || !BY_PATH.has(host)) return NONE
  // An escape in the address that is asked for would hide the one inside.
  const [, inPath, inQuery, cache, name, rest = ''] = INNER.exec(normalPath(path)) ?? []
  if (name === undefined) return NONE
  const isValue = [inPath, inQuery, cache].includes('%3A')
  const inner = (isValue ? decodeValue(rest) : rest).replace(/^:\d{1,5}(?=[/?]|$)/, '')
  return named(name, { port, path: inner.replace(/^(?!\/)/, '/') })
}

/** The address as it was before it became one value of a query; what is escaped in it stays so. */
function decodeValue(text: string): string {
  const end = text.indexOf('&')
  return (end === -1 ? text : text.slice(0, end)).replace(
    /%([2-7][0-9A-F])/g,
    (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)),
  )
}

function named(text: string, rest: Omit<Target, 'host'>): readonly Target[] {
  const host = parseHumanHost(text)
  return host?.includes('.') ? [{ host, ...rest }] : NONE
}

/**
 * The last label names the site; one in other letters is written in A-labels as a whole (AMP). A mark before it, `0-` or
 * `1-`, says how it was written (`_x_tr_enc`, hidden in the query), or belongs to the name: both readings are judged.
 */
function readLabel(labels: string): string[] {
  const label = domainToUnicode(labels.slice(labels.lastIndexOf('.') + 1))
  const bare = label.replace(/^(?:1-)?(?:0-)?/, '').replace(/^(.*)-0$/, '$1')
  const names = [dotted(label)]
  if (bare !== label) names.push(dotted(bare), `xn--${dotted(bare)}`)
  return names
}

const dotted = (label: string): string =>
  label.replace(/-+/g, ({ length }) => '-'.repeat(length >> 1) + '.'.repeat(length & 1))
