/** A text in both languages. */
export type Words = Readonly<Record<'fr' | 'en', string>>

/** What a table of errors holds. `{name}` in a text is a parameter of the error. */
export type ErrorTable = Readonly<
  Record<`PREAU_${string}`, { readonly status: number; readonly fr: string; readonly en: string }>
>
