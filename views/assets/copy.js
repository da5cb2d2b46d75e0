// « Copier »: without this script the text stands there whole, to be selected by hand.
export function startCopying() {
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.hidden = false
    button.addEventListener('click', () => {
      void copy(button)
    })
  }
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy)
  const status = button.parentElement.querySelector('[data-copy-status]')
  try {
    // Over plain HTTP from another PC there is no clipboard (W3C Clipboard API: secure contexts only).
    await navigator.clipboard.writeText(text.textContent)
    status.textContent = button.dataset.copied
  } catch {
    const range = document.createRange()
    range.selectNodeContents(text)
    getSelection().removeAllRanges()
    getSelection().addRange(range)
    status.textContent = button.dataset.marked
  }
}
