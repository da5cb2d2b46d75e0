/** The name and the password that a server of lists asks for (RFC 7617). They are kept apart from the address, which is shown. */

export interface Credentials {
  readonly user: string
  readonly password: string
}

export const MAX_CREDENTIAL = 200

/** Whether a text is written as an address rather than as a path, well or badly. */
export const looksLikeAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

/** An address as it may be shown: without what could be a name and a password, however it is written. */
export const withoutUser = (text: string): string =>
  text.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/i, '$1')

/** An http or https address, and the credentials that stood in it; undefined for any other text. */
export function splitAddress(
  text: string,
): { readonly url: string; readonly credentials?: Credentials } | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  if (url.username === '' && url.password === '') return { url: text }
  const credentials = { user: decoded(url.username), password: decoded(url.password) }
  url.username = ''
  url.password = ''
  return { url: url.href, credentials }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The field that proves them to a server. */
export const authorization = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
