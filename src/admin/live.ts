/** Tells open pages that something changed, by server-sent events without payload: the page reads again. */
import type { FastifyReply } from 'fastify'
import { PreauError } from '../errors.ts'
import type { Store } from '../store/store.ts'

const MAX_STREAMS = 500
const MAX_STREAMS_PER_SESSION = 8
/** Shorter than the idle time that proxies commonly cut at (60 s). */
const BEAT_MS = 20_000
/** Changes that come together are told once. */
const GATHER_MS = 40

interface Stream {
  readonly reply: FastifyReply
  readonly sessionId: string
  /** Whether its session still stands. */
  readonly isWelcome: () => Promise<boolean>
}

export interface Live {
  /** Takes the reply over. Throws PREAU_TOO_MANY_REQUESTS. */
  open(stream: Stream): void
  close(): void
}

export function createLive(store: Store): Live {
  const streams = new Set<Stream>()
  let gathering: NodeJS.Timeout | undefined
  const end = (stream: Stream): void => {
    streams.delete(stream)
    stream.reply.raw.end()
  }
  const tellAll = (): void => {
    gathering = undefined
    for (const stream of streams) tell(stream, 'event: changed\ndata:\n\n', end)
  }
  const unwatch = store.watch(() => (gathering ??= setTimeout(tellAll, GATHER_MS)))
  const beat = setInterval(() => {
    for (const stream of streams) void keepOrEnd(stream, end)
  }, BEAT_MS)
  beat.unref()
  return {
    open(stream) {
      const own = [...streams].filter(({ sessionId }) => sessionId === stream.sessionId)
      if (streams.size >= MAX_STREAMS || own.length >= MAX_STREAMS_PER_SESSION) {
        throw new PreauError('PREAU_TOO_MANY_REQUESTS')
      }
      streams.add(stream)
      start(stream, end)
    },
    close() {
      unwatch()
      clearTimeout(gathering)
      clearInterval(beat)
      for (const stream of streams) end(stream)
    },
  }
}

function start(stream: Stream, end: (stream: Stream) => void): void {
  const { reply } = stream
  reply.hijack()
  const { raw } = reply
  raw.on('close', () => end(stream))
  raw.on('error', () => end(stream))
  raw.writeHead(200, {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  } as Record<string, string>)
  raw.write('retry: 3000\n\n')
}

/** A reader that no longer reads is let go: its kernel buffer is full, and ours must not fill in its place. */
function tell(stream: Stream, text: string, end: (stream: Stream) => void): void {
  if (!stream.reply.raw.write(text)) end(stream)
}

async function keepOrEnd(stream: Stream, end: (stream: Stream) => void): Promise<void> {
  // A store that does not answer is no reason to cut: the next beat asks again.
  const isWelcome = await stream.isWelcome().catch(() => true)
  if (isWelcome) tell(stream, ':\n\n', end)
  else end(stream)
}
