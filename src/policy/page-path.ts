/**
 * The one normal form of a path and query in which pages are compared (RFC 3986 §6.2.2): a list that names `/jeux` means
 * `/%6Aeux`, `//jeux`, `/./jeux` and `/x/../jeux` too, since origins answer them alike. Only for judging: what is sent to an
 * origin stays as it came.
 */

// oxlint-disable no-control-regex -- which characters are written as they stand is what this is about
// What is compared as it stands: neither a percent sign, nor an empty or dotted segment, nor what browsers would encode.
const PLAIN = /^(?:\/(?!\/|\.)|[^%/"<>\\^`{|}\x00-\x20\x7f-\uffff])*$/
const ESCAPE = /%([0-9a-f]{2})?|[^\x21-\x7e]+|["<>\\^`{|}]/gi
const UNRESERVED = /[a-z0-9._~-]/i

/** `path` begins with a slash and may have a query, in which slashes and dots mean nothing. The form of a form is itself. */
export function normalPath(path: string): string {
  if (PLAIN.test(path)) return path
  const mark = path.indexOf('?')
  const [before, query] = mark === -1 ? [path, ''] : [path.slice(0, mark), path.slice(mark)]
  return withoutDots(normalEscapes(before)) + normalEscapes(query)
}

function normalEscapes(text: string): string {
  return text.replace(ESCAPE, (found: string, digits: string | undefined) => {
    if (digits !== undefined) {
      const char = String.fromCharCode(Number.parseInt(digits, 16))
      return UNRESERVED.test(char) ? char : found.toUpperCase()
    }
    // A percent sign alone would be one of two that the next reader takes for an escape.
    return found === '%' ? '%25' : encode(found)
  })
}

/** The bytes of a request stand as one character each; what a person or a list has written is told by letters beyond them. */
function encode(text: string): string {
  const isBytes = !/[^\x00-\xff]/.test(text)
  const bytes = Buffer.from(text, isBytes ? 'latin1' : 'utf8')
  return [...bytes].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** RFC 3986 §5.2.4, with slashes joined first, as servers do. */
function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split(/\/+/).slice(1)
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    // `/a/.` and `/a/b/..` are the folder `/a/`.
    else if (isLast) kept.push('')
  }
  return `/${kept.join('/')}`
}
