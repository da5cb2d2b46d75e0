/** What a request is for: a page that somebody looks at, a frame of another page, or what no person sees. */
import type { IncomingHttpHeaders } from 'node:http'

// Browsers send no Sec-Fetch-Dest to plain-HTTP origins; what they accept tells pictures and styles apart from pages.
const ACCEPTS_NO_PAGE = /^(?:image|audio|video|font)\/|^text\/css/
const FRAMES = new Set(['iframe', 'frame', 'fencedframe', 'embed', 'object'])

/**
 * Our page refuses to be framed, since a framed button could be clicked unknowingly: a frame gets a card without one. Over
 * plain HTTP a frame cannot be told from a page, and the browser shows its own error there.
 */
export function destinationOf(headers: IncomingHttpHeaders): 'page' | 'frame' | 'other' {
  const destination = headers['sec-fetch-dest']
  if (destination === undefined)
    return ACCEPTS_NO_PAGE.test(headers.accept ?? '') ? 'other' : 'page'
  if (destination === 'document') return 'page'
  return FRAMES.has(destination) ? 'frame' : 'other'
}
