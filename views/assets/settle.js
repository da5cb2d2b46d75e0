// A click means what stood under the pointer when the hand began to move: what has moved or appeared since takes none for
// half a second, and the second click of a double click is the first one. The keyboard acts on the focus, which stays.
const SETTLE_MS = 500
// A word more or less moves a line by a fraction: the hand does not notice.
const STEADY_PX = 4
const CONTROLS = 'main :is(a[href], button, summary, select)'
// What a repeated click would do twice, or undo.
const ONCE = 'button, summary'

const movedAt = new WeakMap()
let shownAt = -Infinity

const places = () => {
  const found = new Map()
  for (const control of document.querySelectorAll(CONTROLS)) {
    const { left, top, width, height } = control.getBoundingClientRect()
    // A control that is not shown is nowhere: it appears later.
    if (width > 0 && height > 0) found.set(control, { left, top })
  }
  return found
}

const hasMoved = (before, after) =>
  before === undefined ||
  Math.hypot(before.left - after.left, before.top - after.top) > STEADY_PX

/** Changes the page by `change`; whatever control moves or appears by it is out of reach for half a second. */
export function settling(change) {
  const before = places()
  const answer = change()
  for (const [control, place] of places()) {
    if (hasMoved(before.get(control), place)) movedAt.set(control, performance.now())
  }
  return answer
}

/** For a page that was loaded after an act: all of it has just appeared. */
export function settlePage() {
  shownAt = performance.now()
}

const isSettled = control =>
  performance.now() - Math.max(shownAt, movedAt.get(control) ?? -Infinity) >= SETTLE_MS

const stop = event => {
  event.preventDefault()
  event.stopImmediatePropagation()
}

export function listenSettled() {
  document.addEventListener(
    'click',
    event => {
      const control = event.detail > 0 && event.target.closest(CONTROLS)
      if (!control) return
      if ((event.detail > 1 && control.matches(ONCE)) || !isSettled(control)) stop(event)
    },
    true,
  )
  // A list of choices opens before the click.
  document.addEventListener(
    'mousedown',
    event => {
      const control = event.target.closest('main select')
      if (control && !isSettled(control)) stop(event)
    },
    true,
  )
}
