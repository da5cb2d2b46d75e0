/** JSON as editors and shells write it: also with a byte order mark, also in UTF-16 as Windows PowerShell does. */
import { PreauError } from './errors.ts'

/** Throws a SyntaxError, or PREAU_TEXT_ENCODING where letters would be lost in silence. */
export function parseJson(bytes: Uint8Array): unknown {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8'
  let text: string
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new PreauError('PREAU_TEXT_ENCODING')
  }
  return JSON.parse(text)
}
