/** Tells open pages that something changed, by server-sent events without payload: the page reads again. */
import type { FastifyReply } from 'fastify'
import { PreauError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { ListWork } from './deps.ts'

const MAX_STREAMS = 500
const MAX_STREAMS_PER_SESSION = 8
/** Shorter than the idle time that proxies commonly cut at (60 s). */
const BEAT_MS = 20_000
/** Changes that come together are told once. */
const GATHER_MS = 40
/** A bar that moves twice a second moves enough. */
const WORK_GATHER_MS = 500

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

/** `changed`: a commit was made; `work`: work on the lists went on, began or ended. */
export function createLive(store: Store, work: ListWork): Live {
  const streams = new Set<Stream>()
  const end = (stream: Stream): void => {
    streams.delete(stream)
    stream.reply.raw.end()
  }
  const tellAll = (event: string) => (): void => {
    for (const stream of streams) tell(stream, `event: ${event}\ndata:\n\n`, end)
  }
  const changes = gather(GATHER_MS, tellAll('changed'))
  const steps = gather(WORK_GATHER_MS, tellAll('work'))
  const unwatch = store.watch(changes.soon)
  const unfollow = work.onChange(steps.soon)
  const beat = setInterval(() => {
    for (const stream of streams) void keepOrEnd(stream, end)
  }, BEAT_MS)
  beat.unref()
  let isClosed = false
  return {
    open(stream) {
      const own = [...streams].filter(({ sessionId }) => sessionId === stream.sessionId)
      if (streams.size >= MAX_STREAMS || own.length >= MAX_STREAMS_PER_SESSION) {
        throw new PreauError('PREAU_TOO_MANY_REQUESTS')
      }
      streams.add(stream)
      start(stream, end)
      // The page asks again by itself, and then comes to the process that has taken over.
      if (isClosed) end(stream)
    },
    close() {
      isClosed = true
      unwatch()
      unfollow()
      changes.stop()
      steps.stop()
      clearInterval(beat)
      for (const stream of streams) end(stream)
    },
  }
}

/** Calls back once for all that comes within `ms`. */
function gather(ms: number, act: () => void): { soon: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  return {
    soon: () => {
      timer ??= setTimeout(() => {
        timer = undefined
        act()
      }, ms)
    },
    stop: () => clearTimeout(timer),
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
