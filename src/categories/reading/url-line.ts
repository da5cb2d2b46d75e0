/** What one line of a list of pages says: a host and the beginning of a path, nothing, or something that is refused. */
import { isAddress, parseHumanHost, type Host } from '../../policy/host.ts'

export type UrlLine =
  | { readonly kind: 'page'; readonly host: Host; readonly path: string }
  | { readonly kind: 'blank' }
  | { readonly kind: 'refused' }

const MAX_PATH = 2_048
const PAGE = /^(?:https?:\/\/)?([^/?#@\s:]+|\[[^\]]*\])(?::\d{1,5})?([/?][^#\s]*)$/i

/**
 * Reads `host/path`, with or without a scheme and a port; both are dropped, since a page is judged whatever they are. A
 * line with a fragment is refused: browsers never send it, and without it `host/#x` would mean the whole site.
 */
export function parseUrlLine(line: string): UrlLine {
  const text = (line.startsWith('\uFEFF') ? line.slice(1) : line).trim()
  if (text === '' || text.startsWith('#')) return { kind: 'blank' }
  const [, name = '', rest = ''] = PAGE.exec(text) ?? []
  const host = parseHumanHost(name)
  // Browsers send what is not ASCII percent-encoded (RFC 3986 §2.1).
  const path = encodeRest(rest.startsWith('/') ? rest : `/${rest}`)
  if (host === undefined || (!host.includes('.') && !isAddress(host)) || path.length > MAX_PATH)
    return { kind: 'refused' }
  return { kind: 'page', host, path }
}

function encodeRest(path: string): string {
  return path.replace(/[^\x21-\x7e]+/g, part => encodeURIComponent(part.toWellFormed()))
}
