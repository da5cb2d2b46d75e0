/** Searching as people type: words in any order, whatever the accents and the case. */

/** Answers whether all words of the query stand somewhere in the texts of a row. */
export function searchFor(query: string): (texts: readonly (string | undefined)[]) => boolean {
  const words = plain(query).split(/\s+/).filter(Boolean)
  return texts => {
    const text = plain(texts.filter(Boolean).join(' '))
    return words.every(word => text.includes(word))
  }
}

const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
