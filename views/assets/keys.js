// Keys of the pending list. Single keys can be turned off (WCAG 2.1.4), and never act while somebody types.
const STORED = 'preau-keys'
const MOVING = new Set(['j', 'k', 'arrowdown', 'arrowup'])

const current = () => document.activeElement?.closest('.request') ?? null

export function listenKeys(list, { showWaiting }) {
  const dialog = document.getElementById('keys')
  const enabled = document.getElementById('keys-enabled')
  const opener = document.getElementById('keys-open')
  enabled.checked = localStorage.getItem(STORED) !== 'off'
  enabled.addEventListener('change', () => localStorage.setItem(STORED, enabled.checked ? 'on' : 'off'))
  opener.hidden = false
  opener.addEventListener('click', () => dialog.showModal())

  const rows = () => [...list.querySelectorAll('.request')]
  const move = step => {
    const all = rows()
    const index = all.indexOf(current())
    const next = all[index === -1 ? (step > 0 ? 0 : all.length - 1) : index + step]
    next?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  const actions = {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    a: () => current()?.querySelector('form.approve')?.requestSubmit(),
    n: showWaiting,
    r: () => {
      const details = current()?.querySelector('details.refuse')
      if (!details) return
      details.open = true
      // At once: what is typed next is the reason, not shortcuts.
      details.querySelector('[name=reason]').focus()
    },
    o: () => current()?.querySelector('h2 a').click(),
    u: () => lastUndo(rows())?.requestSubmit(),
    '?': () => dialog.showModal(),
  }

  document.addEventListener('keydown', event => {
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!action || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return
    if (!enabled.checked && event.key !== '?') return
    if (event.target.closest('input, select, textarea, [contenteditable]')) return
    event.preventDefault()
    // A key that is held down is one press, but on the way through the list.
    if (event.repeat && !MOVING.has(event.key.toLowerCase())) return
    action()
  })
}

/** The way back of what was decided last. */
function lastUndo(rows) {
  const acted = rows.filter(row => row.querySelector('[data-undo]'))
  const latest = acted.toSorted((a, b) => (a.dataset.actedAt ?? 0) - (b.dataset.actedAt ?? 0)).at(-1)
  return latest?.querySelector('[data-undo]')
}
