// Acts on a row of a list: the row alone changes, where it stands. The page that the server answers has the same row in its
// new state; without script that page is shown as it is.
import { settling } from './settle.js'
import { forgetUndo } from './undo.js'

export function listenRowActs() {
  forgetUndo(document)
  document.addEventListener('submit', event => {
    const form = event.target
    if (!form.matches('[data-row-act]')) return
    event.preventDefault()
    void act(form)
  })
}

async function act(form) {
  const row = form.closest('[id]')
  if (row.dataset.busy) return
  row.dataset.busy = 'true'
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) })
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = fresh.getElementById(row.id)
    if (!answer.ok || !next) {
      // It says what is wrong, or shows another list.
      if (answer.ok) location.assign(answer.url)
      else form.submit()
      return
    }
    const said = fresh.querySelector('main > .notice')?.textContent ?? ''
    settling(() => replace(row, next))
    say(said)
  } catch {
    form.submit()
  } finally {
    delete row.dataset.busy
  }
}

function replace(row, next) {
  const hadFocus = row.contains(document.activeElement)
  row.replaceWith(next)
  forgetUndo(next)
  if (hadFocus) next.focus({ preventScroll: true })
}

function say(text) {
  const line = document.getElementById('said')
  line.textContent = text.trim()
}
