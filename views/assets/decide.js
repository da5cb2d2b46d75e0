// Decides without leaving the list: sends the form, takes the row away, and offers to undo for a few seconds.
import { removeRow } from './rows.js'

const UNDO_SHOWN_MS = 8_000

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

export function listenDecisions(root, refresh) {
  const notices = document.getElementById('notices')

  document.addEventListener('submit', event => {
    const form = event.target
    if (!form.matches('[data-decide], [data-undo]')) return
    event.preventDefault()
    void act(form)
  })
  document.addEventListener('toggle', focusReason, true)
  if (notices.firstElementChild) fade(notices.firstElementChild)

  async function act(form) {
    if (form.dataset.busy) return
    form.dataset.busy = 'true'
    const row = form.closest('.request')
    try {
      const { ok, text } = await send(form)
      if (form.matches('[data-undo]')) form.closest('.toast').remove()
      if (!ok || form.matches('[data-undo]')) say(text, ok ? 'done' : 'problem')
      else offerUndo(row.dataset.id, text)
      if (ok && row) removeRow(row)
      await refresh()
    } catch {
      document.getElementById('lost').hidden = false
    } finally {
      delete form.dataset.busy
    }
  }

  function offerUndo(id, text) {
    const toast = document.getElementById('notice-template').content.cloneNode(true).firstElementChild
    toast.querySelector('.toast-text').textContent = text
    toast.querySelector('form').action = `/requests/${encodeURIComponent(id)}/undo`
    show(toast)
  }

  function say(text, kind) {
    const toast = document.createElement('div')
    toast.className = `toast ${kind}`
    const words = document.createElement('span')
    words.className = 'toast-text'
    words.textContent = text
    toast.append(words)
    show(toast)
  }

  function show(toast) {
    while (notices.children.length > 2) notices.firstElementChild.remove()
    notices.append(toast)
    fade(toast)
  }
}

// Nobody loses the button while the mouse or the focus is on it.
function fade(toast) {
  setTimeout(() => {
    if (toast.matches(':hover, :focus-within')) fade(toast)
    else toast.remove()
  }, UNDO_SHOWN_MS)
}

function focusReason({ target }) {
  if (target.matches('details.refuse') && target.open) target.querySelector('[name=reason]').focus()
}
