// The ready reasons of a refusal: buttons where there is script, a list of suggestions where there is none.

export function revealReady(root) {
  for (const ready of root.querySelectorAll('[data-ready][hidden]')) {
    ready.hidden = false
    ready.closest('form').querySelector('[name=reason]').removeAttribute('list')
  }
}

export function listenReasons() {
  revealReady(document)
  document.addEventListener('click', event => {
    const chip = event.target.closest('[data-ready] .chip')
    if (!chip) return
    const input = chip.closest('form').querySelector('[name=reason]')
    input.value = chip.textContent
    input.focus()
  })
}
