/** The templates of the portal, compiled once, and the one style sheet and one script that its pages hold inline. */
import { Eta } from 'eta'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const VIEWS = fileURLToPath(new URL('../../views/portal', import.meta.url))
export const eta = new Eta({ views: VIEWS, cache: true, autoEscape: true })

/** Reads a file to be put in a page: without the comments and the indentation that only its authors read. */
function inline(name: string): string {
  const text = readFileSync(`${VIEWS}/${name}`, 'utf8')
  return text
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/^\s+/gm, '')
    .trim()
}

const sourceOf = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`

export const STYLE = inline('portal.css')
export const SCRIPT = inline('portal.js')
export const FRAME_STYLE = inline('frame.css')

// The two inline texts never change while Préau runs, so hashes name them: nothing injected later could borrow a nonce.
export const PAGE_CSP = [
  "default-src 'none'",
  `style-src ${sourceOf(STYLE)}`,
  `script-src ${sourceOf(SCRIPT)}`,
  "connect-src 'self'",
  "form-action 'self'",
  'img-src data:',
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** Of a card in somebody else's frame: nothing to run, to send or to load. */
export const FRAME_CSP = [
  "default-src 'none'",
  `style-src ${sourceOf(FRAME_STYLE)}`,
  "base-uri 'none'",
].join('; ')
