// Hears that something changed. A browser opens six connections per server at most (HTTP/1.1), so of all the tabs one
// holds the stream and tells the others; every tab also asks once a minute, so a lost message costs a delay only.
const POLL_MS = 60_000
const CLAIM_MS = 400

export function listen(onChange, onState, onWork = () => undefined) {
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('preau-live') : null
  let source = null
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target
  const tell = message => channel?.postMessage(message)

  function hold() {
    if (source) return
    tell('held')
    source = new EventSource('/events')
    source.addEventListener('changed', () => {
      tell('changed')
      onChange()
    })
    source.addEventListener('work', () => {
      tell('work')
      onWork()
    })
    source.addEventListener('open', () => {
      onState(true)
      onChange()
    })
    source.addEventListener('error', () => {
      onState(false)
      // 401 or 429: the browser does not try again by itself.
      if (source?.readyState === EventSource.CLOSED) {
        source = null
        setTimeout(hold, 5_000)
        onChange()
      }
    })
  }
  function drop() {
    source?.close()
    source = null
  }

  channel?.addEventListener('message', ({ data }) => {
    if (data === 'changed') onChange()
    if (data === 'work') onWork()
    if (data === 'held') drop()
    if (data === 'free') setTimeout(hold, Math.random() * CLAIM_MS)
  })
  addEventListener('pagehide', () => {
    if (source) tell('free')
    drop()
  })
  addEventListener('pageshow', event => event.persisted && hold())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') onChange()
  })
  setInterval(() => onChange(), POLL_MS)
  hold()
}
