// The pages on lists: the progress bar moves, and what changed is swapped in.
import { listen } from './live.js'
import { takeParts } from './parts.js'

const parse = async answer => new DOMParser().parseFromString(await answer.text(), 'text/html').body

const work = () => document.querySelector('[data-part="work"]')
const isWorking = () => work().querySelector('progress') !== null

export function startLists() {
  const refresh = alone(async () => {
    const fresh = await read(location.pathname)
    if (fresh) takeParts(fresh)
  })
  const step = alone(async () => {
    const fresh = await read('/lists/work')
    if (!fresh) return
    const before = isWorking()
    moveBar(work(), fresh.querySelector('[data-part="work"]'))
    if (before !== isWorking()) await refresh()
  })
  listen(refresh, () => undefined, step)
}

async function read(path) {
  const answer = await fetch(path, { cache: 'no-store' })
  if (answer.status === 401 || answer.redirected) location.assign('/sign-in')
  return answer.ok ? parse(answer) : null
}

/** One at a time; what comes meanwhile is done once more. The stream tells when a lost link is back. */
function alone(act) {
  let isRunning = false
  let again = false
  return async () => {
    again = isRunning
    if (isRunning) return
    isRunning = true
    try {
      await act()
    } catch {
      // Asked again at the next event.
    } finally {
      isRunning = false
    }
    if (again) {
      again = false
      await act().catch(() => undefined)
    }
  }
}

// The bar itself stays: a screen reader keeps its place, and an endless bar does not start over.
function moveBar(old, fresh) {
  const [bar, next] = [old.querySelector('progress'), fresh.querySelector('progress')]
  if (!bar || !next) {
    old.replaceWith(fresh)
    return
  }
  if (next.hasAttribute('value')) bar.value = next.value
  else bar.removeAttribute('value')
  for (const text of old.querySelectorAll('[data-text]')) {
    const said = fresh.querySelector(`[data-text="${text.dataset.text}"]`).textContent
    if (text.textContent !== said) text.textContent = said
  }
}
