// Decides without leaving the list: sends the form; the row says what was decided, and offers to take it back.
import { settling } from './settle.js'

async function send(form) {
  const answer = await fetch(form.action, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(new FormData(form)),
  })
  if (answer.status === 401) location.assign('/sign-in')
  const { text } = await answer.json()
  return { ok: answer.ok, text }
}

export function listenDecisions(list, refresh) {
  const said = document.getElementById('said')

  document.addEventListener('submit', event => {
    const form = event.target
    const row = form.matches('[data-decide], [data-undo]') && form.closest('.request')
    if (!row) return
    event.preventDefault()
    void act(form, row)
  })
  document.addEventListener('toggle', focusReason, true)

  async function act(form, row) {
    // One row, one decision at a time: a second click, or another of its forms, is not another one.
    if (row.dataset.busy) return
    row.dataset.busy = 'true'
    try {
      const { ok, text } = await send(form)
      said.textContent = text
      complain(row, ok ? '' : text)
      if (ok) row.dataset.actedAt = Date.now()
      await refresh()
    } catch {
      settling(() => (document.getElementById('lost').hidden = false))
    } finally {
      delete row.dataset.busy
    }
  }
}

/** What went wrong is said where it was clicked. */
function complain(row, text) {
  const old = row.querySelector('.complaint')
  if (!old && text === '') return
  settling(() => {
    old?.remove()
    if (text === '') return
    const line = document.createElement('p')
    line.className = 'complaint'
    line.textContent = text
    row.append(line)
  })
}

function focusReason({ target }) {
  if (target.matches('details.refuse') && target.open) target.querySelector('[name=reason]').focus()
}
