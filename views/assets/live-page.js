// A page on one thing: what changes of it elsewhere is swapped in where nobody is at work.
import { listen } from './live.js'
import { takeParts } from './parts.js'

export function startLivePage() {
  listen(refresh, () => undefined)
}

async function refresh() {
  try {
    const answer = await fetch(location.pathname, { cache: 'no-store' })
    if (answer.status === 401 || answer.redirected) location.assign('/sign-in')
    if (answer.ok) takeParts(new DOMParser().parseFromString(await answer.text(), 'text/html').body)
  } catch {
    // Asked again at the next event.
  }
}
