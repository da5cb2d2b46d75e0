// The pending list: swaps in what changed without touching what a person is doing, and says it was seen.
import { listenDecisions } from './decide.js'
import { listenKeys } from './keys.js'
import { listen } from './live.js'
import { takeParts } from './parts.js'
import { revealReady } from './reasons.js'
import { removeRow } from './rows.js'

const SEEN_MS = 600
const PAUSE_MS = 250
const MAX_SEEN = 50

export function startPending(root) {
  const list = document.getElementById('list')
  const lost = document.getElementById('lost')
  const canSee = root.dataset.seen === 'true'
  const page = root.dataset.live === 'true'
  let running = false
  let again = false

  async function refresh() {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      const answer = await fetch(`/requests/pending${location.search}`, { cache: 'no-store' })
      if (answer.status === 401) location.assign('/sign-in')
      else if (answer.ok) swap(await answer.text())
    } catch {
      // The stream tells when the link is back, and refreshes then.
    } finally {
      running = false
    }
    if (again) {
      again = false
      // Three hundred pending requests weigh 400 kB: a burst of clicks is shown in a few strokes.
      setTimeout(() => void refresh(), PAUSE_MS)
    }
  }

  function swap(html) {
    const fresh = new DOMParser().parseFromString(html, 'text/html').body
    takeParts(fresh)
    const before = list.querySelector('ol.requests')
    const after = fresh.querySelector('ol.requests')
    if (before && after) mergeRows(before, after)
    else if (before || after) {
      if (after) announce([...after.children])
      list.replaceChildren(...fresh.childNodes)
    }
    const state = fresh.querySelector('[data-count]') ?? list.querySelector('[data-count]')
    showCount(after ?? state)
    watchSeen()
    revealReady(list)
  }

  function mergeRows(before, after) {
    const known = new Map([...before.children].map(row => [row.dataset.id, row]))
    const arrived = []
    let previous = null
    // A copy: rows that move leave the collection while it is read.
    const rows = [...after.children]
    for (const row of rows) {
      const old = known.get(row.dataset.id)
      known.delete(row.dataset.id)
      if (old) mergeRow(old, row)
      else {
        row.classList.add('arriving')
        if (previous) previous.after(row)
        else before.prepend(row)
        arrived.push(row)
      }
      previous = old ?? row
    }
    for (const gone of known.values()) removeRow(gone)
    announce(arrived)
  }

  function announce(rows) {
    if (rows.length === 0) return
    const { host, place } = rows[0].dataset
    const text = rows.length === 1 ? root.dataset.arrivedOne : root.dataset.arrivedMany
    document.getElementById('arrivals').textContent = text
      .replace('{host}', host)
      .replace('{site}', place)
      .replace('{count}', rows.length)
  }

  function showCount({ dataset: { count, heading } }) {
    document.getElementById('pending-heading').textContent = heading
    document.title = `${count === '0' ? '' : `(${count}) `}${root.dataset.title} · Préau`
  }

  function watchSeen() {
    if (!canSee || !page) return
    for (const row of list.querySelectorAll('[data-unseen]')) onScreen.observe(row)
  }

  // Only a row that stood on a visible screen for a moment was seen by somebody.
  const waiting = new Set()
  let timer = 0
  const onScreen = new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) waiting.add(target)
        else waiting.delete(target)
      }
      clearTimeout(timer)
      timer = setTimeout(tellSeen, SEEN_MS)
    },
    { threshold: 0.5 },
  )
  function tellSeen() {
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
  document.addEventListener('visibilitychange', tellSeen)

  watchSeen()
  listenDecisions(root, refresh)
  if (canSee) listenKeys(list)
  listen(refresh, isUp => (lost.hidden = isUp))
}

// The facts change, the forms stay: nobody loses what they are choosing or typing.
function mergeRow(old, fresh) {
  if (old.dataset.version === fresh.dataset.version) return
  old.dataset.version = fresh.dataset.version
  old.toggleAttribute('data-unseen', fresh.hasAttribute('data-unseen'))
  const facts = old.querySelector('.facts')
  const focused = facts.contains(document.activeElement)
  facts.replaceWith(fresh.querySelector('.facts'))
  if (focused) old.querySelector('.facts a').focus()
}
