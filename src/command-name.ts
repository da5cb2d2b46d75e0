/**
 * How the command of Préau is typed where this process runs, for messages that say what to type next: `npx preau`, or the
 * path where it is installed. `cli.ts` finds it out, and the supervisor tells its children.
 */
let name = 'npx preau'

export const commandName = (): string => name

export function setCommandName(text: string): void {
  name = text
}

/** A text with `{preau}` in the place of the command. */
export const withCommand = (text: string): string => text.replaceAll('{preau}', () => name)
