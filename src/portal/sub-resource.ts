/** Whether a request is for something that no person looks at as a page: a picture, a script, a frame. */
import type { IncomingHttpHeaders } from 'node:http'

// Browsers send no Sec-Fetch-Dest to plain-HTTP origins; what they accept tells pictures and styles apart from pages.
const ACCEPTS_NO_PAGE = /^(?:image|audio|video|font)\/|^text\/css/

/**
 * Frames count too: our page refuses to be framed (a framed button could be clicked unknowingly), and one line of text
 * says more in a frame than the browser's own error would.
 */
export function isSubResource(headers: IncomingHttpHeaders): boolean {
  const destination = headers['sec-fetch-dest']
  if (destination !== undefined) return destination !== 'document'
  return ACCEPTS_NO_PAGE.test(headers.accept ?? '')
}
