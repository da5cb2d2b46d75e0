// Only a row that stood on a visible screen for a moment was seen by somebody.
const SEEN_MS = 600
const MAX_SEEN = 50

/** Answers the function that looks for rows that nobody has seen. */
export function watchSeen(root, list) {
  const waiting = new Set()
  let timer = 0
  const onScreen = new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) waiting.add(target)
        else waiting.delete(target)
      }
      clearTimeout(timer)
      timer = setTimeout(tell, SEEN_MS)
    },
    { threshold: 0.5 },
  )
  function tell() {
    if (document.visibilityState !== 'visible' || waiting.size === 0) return
    const rows = [...waiting].slice(0, MAX_SEEN)
    for (const row of rows) {
      waiting.delete(row)
      onScreen.unobserve(row)
    }
    const ids = rows.filter(row => row.isConnected).map(row => row.dataset.id)
    if (ids.length === 0) return
    const body = new URLSearchParams({ _csrf: root.dataset.csrf, ids: ids.join(',') })
    fetch('/requests/seen', { method: 'POST', body }).catch(() => undefined)
  }
  document.addEventListener('visibilitychange', tell)
  return () => {
    for (const row of list.querySelectorAll('[data-unseen]')) onScreen.observe(row)
  }
}
