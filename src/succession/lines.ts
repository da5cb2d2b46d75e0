/** What an orphan and the successor of its supervisor say to each other: a line of JSON each. Add, never change: releases meet here. */
import type { Socket } from 'node:net'
import { z } from 'zod'

/** The first line of an orphan. */
export const helloSchema = z.object({
  role: z.enum(['proxy', 'admin']),
  /** Where it listens. */
  port: z.int().positive(),
  pid: z.int().positive(),
})
export type Hello = z.infer<typeof helloSchema>

/** What a successor may say, as often as it likes: take no more, and end within the time. */
export const orderSchema = z.object({ type: z.literal('stop'), drainMs: z.number().min(0) })
export type Order = z.infer<typeof orderSchema>

const MAX_LINE = 1_000

export const sayLine = (socket: Socket, line: Hello | Order): boolean =>
  socket.write(`${JSON.stringify(line)}\n`)

/** Calls `onLine` with what each line says, as far as the schema knows it. A line that is no JSON, or too long, ends the connection. */
export function readLines<T>(
  socket: Socket,
  schema: z.ZodType<T>,
  onLine: (line: T) => void,
): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    try {
      if (rest.length > MAX_LINE) throw new Error('a line without end')
      for (const line of lines) {
        const { data } = schema.safeParse(JSON.parse(line))
        if (data !== undefined) onLine(data)
      }
    } catch {
      socket.destroy()
    }
  })
}
