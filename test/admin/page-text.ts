/** What a person reads of a page. */

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** The text alone, any run of blanks as one space. */
export function readingOf(html: string): string {
  return html
    .replace(/<(script|style|option)[^>]*>.*?<\/\1>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/\s+/g, ' ')
}

/** The rows of the tables of a page. */
export function rowsOf(html: string): string[] {
  const bodies = [...html.matchAll(/<tbody[^>]*>(.*?)<\/tbody>/gs)].map(match => match[1] ?? '')
  return bodies.flatMap(body => body.split('<tr').slice(1).map(readingOf))
}

/** What a field of the form that came back is told to lack: by the id that the field itself names. */
export function faultOf(html: string, field: string): string {
  const control = new RegExp(`<(?:input|select)[^>]* name="${field}"[^>]*aria-invalid="true"[^>]*>`)
  const described = /aria-describedby="([^" ]*)/.exec(control.exec(html)?.[0] ?? '')?.[1] ?? ''
  const text = new RegExp(`<small class="fault" id="${described}">(.*?)</small>`, 's').exec(html)
  return readingOf(text?.[1] ?? '').trim()
}

/** What the button « Enregistrer quand même » sends. */
export function consentIn(html: string): string {
  return /name="consent" value="([^"]+)"/.exec(html)?.[1] ?? ''
}
