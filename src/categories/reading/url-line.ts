/** What one line of a list of pages says: a host and the beginning of a path in its normal form, nothing, or no page. */
import { isAddress, parseHumanHost, type Host } from '../../policy/host.ts'
import { normalPath } from '../../policy/page-path.ts'

export type UrlLine =
  | { readonly kind: 'page'; readonly host: Host; readonly path: string }
  | { readonly kind: 'blank' }
  /** Understood, and left out: a page with a fragment. */
  | { readonly kind: 'left' }
  | { readonly kind: 'refused' }

const MAX_PATH = 2_048
const PAGE = /^(?:https?:\/\/)?([^/?#@\s:]+|\[[^\]]*\])(?::\d{1,5})?([/?][^#\s]*)(#\S*)?$/i

/**
 * Reads `host/path`, with or without a scheme and a port; both are dropped, since a page is judged whatever they are. A
 * line with a fragment is left out: browsers never send it, and without it `host/#x` would mean the whole site.
 */
export function parseUrlLine(line: string): UrlLine {
  const text = (line.startsWith('\uFEFF') ? line.slice(1) : line).trim()
  if (text === '' || /^(?:[#;]|\/\/)/.test(text)) return { kind: 'blank' }
  const [, name = '', rest = '', fragment] = PAGE.exec(text) ?? []
  const host = parseHumanHost(name)
  const path = normalPath(encodeRest(rest.startsWith('/') ? rest : `/${rest}`))
  if (host === undefined || (!host.includes('.') && !isAddress(host)) || path.length > MAX_PATH)
    return { kind: 'refused' }
  if (fragment !== undefined) return { kind: 'left' }
  return { kind: 'page', host, path }
}

/** Browsers send what is not ASCII percent-encoded in UTF-8 (RFC 3986 §2.1). */
function encodeRest(path: string): string {
  return path.replace(/[^\x21-\x7e]+/g, part => encodeURIComponent(part.toWellFormed()))
}
