// The pending list: reads what changed, shows it where nobody is disturbed by it, and says it was seen.
import { listenDecisions } from './decide.js'
import { listenKeys } from './keys.js'
import { listen } from './live.js'
import { takeParts } from './parts.js'
import { createRequestList } from './request-list.js'
import { watchSeen } from './seen.js'
import { settling } from './settle.js'

const PAUSE_MS = 250
const CALM_MS = 700
const SWEEP_MS = 5_000
const TOUCH_MS = 5_000

const parse = html => new DOMParser().parseFromString(html, 'text/html').body

async function read(path) {
  const answer = await fetch(path, { cache: 'no-store' })
  if (answer.status === 401) location.assign('/sign-in')
  return answer.ok ? parse(await answer.text()) : null
}

export function startPending(root) {
  const zone = [document.getElementById('list'), document.getElementById('waiting')]
  const lost = document.getElementById('lost')
  const canSee = root.dataset.seen === 'true'
  const list = createRequestList(root)
  const see = canSee && root.dataset.live === 'true' ? watchSeen(root, zone[0]) : () => undefined
  let running = false
  let again = false

  async function refresh() {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      const fresh = await read(`/requests/pending${location.search}`)
      if (fresh) await show(fresh)
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

  async function show(fresh) {
    const gone = list.missingIn(fresh)
    const known = gone.length > 0 ? await read(`/requests/rows?ids=${gone.join(',')}`) : null
    settling(() => {
      takeParts(fresh)
      list.take(fresh, known, isInUse())
    })
    see()
  }

  // The pointer of a finger leaves nothing on the screen: for a while after a touch it is taken to be there.
  let touchedAt = -Infinity
  const isInUse = () =>
    performance.now() - touchedAt < TOUCH_MS ||
    zone.some(part => part.matches(':hover') || part.querySelector(':focus-visible') !== null)
  for (const part of zone) {
    part.addEventListener('pointerdown', ({ pointerType }) => {
      if (pointerType === 'touch') touchedAt = performance.now()
    })
    for (const left of ['pointerleave', 'focusout'])
      part.addEventListener(left, () => setTimeout(tidy, CALM_MS))
  }
  const tidy = () => {
    if (list.isUntidy() && !isInUse()) void refresh()
  }
  setInterval(tidy, SWEEP_MS)

  list.onShow(see)
  see()
  listenDecisions(list, refresh)
  if (canSee) listenKeys(zone[0], list)
  listen(refresh, isUp => settling(() => (lost.hidden = isUp)))
}
