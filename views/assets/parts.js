// Parts of a page that change by themselves: each carries its name, and is swapped where nobody is at work in it.
import { settling } from './settle.js'

/** Moves the parts of `fresh` into the page; what is the same, in use or not shown stays. Answers whether all came in. */
export const takeParts = fresh => settling(() => takeAll(fresh))

function takeAll(fresh) {
  let isDone = true
  for (const part of fresh.querySelectorAll('[data-part]')) {
    const old = document.querySelector(`[data-part="${part.dataset.part}"]`)
    part.remove()
    if (!old || textOf(old) === textOf(part)) continue
    if (isInUse(old)) isDone = false
    else old.replaceWith(part)
  }
  return isDone
}

const isInUse = part =>
  part.contains(document.activeElement) || part.querySelector('details[open]') !== null

// « il y a 3 min » moves by itself.
function textOf(part) {
  const copy = part.cloneNode(true)
  for (const time of copy.querySelectorAll('time[data-ago]')) time.textContent = ''
  return copy.innerHTML
}
