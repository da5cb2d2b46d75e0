// The rows of the pending list. A row keeps its place as long as somebody is at the list: once decided it says how, and
// what arrives waits behind a button. It is tidied up when pointer and focus are elsewhere.
import { revealReady } from './reasons.js'
import { settling } from './settle.js'
import { forgetUndo } from './undo.js'

const rowsOf = part => [...part.querySelectorAll('ol.requests > li')]
const idsOf = part => new Set(rowsOf(part).map(({ dataset }) => dataset.id))

export function createRequestList(root) {
  const place = document.getElementById('list')
  const waiting = document.querySelector('#waiting button')
  const arrivals = document.getElementById('arrivals')
  const held = new Map()
  const announced = new Set()
  let shown


  waiting.addEventListener('click', () => showWaiting())

  /** Shows what waits, and leads there. */
  function showWaiting() {
    const rows = [...held.values()]
    if (rows.length === 0) return
    settling(() => insertAll(rows))
    rows[0].focus({ preventScroll: true })
    rows[0].scrollIntoView({ block: 'nearest' })
    shown?.()
  }

  function insertAll(rows) {
    const list = place.querySelector('ol.requests')
    for (const row of rows) {
      held.delete(row.dataset.id)
      row.classList.add('arriving')
      // Ids of requests tell their order: the newest is the greatest.
      const next = [...list.children].find(({ dataset }) => dataset.id < row.dataset.id)
      if (next) next.before(row)
      else list.append(row)
    }
    revealReady(place)
    showHeld()
  }

  function showHeld() {
    const count = held.size
    const text = count === 1 ? waiting.dataset.one : waiting.dataset.many
    waiting.textContent = text.replace('{count}', count)
    waiting.hidden = count === 0
  }

  /** The rows on the screen that the list has no more: decided, or older than its last one. */
  function missingIn(fresh) {
    const still = idsOf(fresh)
    return rowsOf(place)
      .filter(({ dataset }) => !still.has(dataset.id) && !('decided' in dataset))
      .map(({ dataset }) => dataset.id)
      .slice(0, 50)
  }

  /** `known`: how the rows stand that `missingIn` named. */
  function take(fresh, known, isInUse) {
    const after = fresh.querySelector('ol.requests')
    const state = fresh.querySelector('[data-count]')
    if (state) showCount(state)
    for (const row of known ? rowsOf(known) : []) mergeRow(rowOf(row.dataset.id), row)
    const rows = after ? [...after.children] : []
    const still = new Set(rows.map(({ dataset }) => dataset.id))
    for (const id of held.keys()) if (!still.has(id)) held.delete(id)
    if (!isInUse) tidy(still)
    if (!place.querySelector('ol.requests')) {
      announce(rows)
      // Nobody is disturbed where nothing stands; and nothing in place of nothing is no change.
      if (after || !place.querySelector('.empty')) place.replaceChildren(...fresh.childNodes)
      revealReady(place)
      held.clear()
    } else {
      for (const row of rows) {
        const old = rowOf(row.dataset.id)
        if (old) mergeRow(old, row)
        else held.set(row.dataset.id, row)
      }
      announce([...held.values()])
      if (!isInUse) insertAll([...held.values()])
      replacePager(fresh)
      revealReady(place)
    }
    showHeld()
  }

  const rowOf = id => place.querySelector(`li[data-id="${CSS.escape(id)}"]`)

  /** What is decided goes once nobody can take it back any more; an empty list then says so. */
  function tidy(still) {
    for (const row of rowsOf(place)) {
      row.style.minHeight = ''
      if (!still.has(row.dataset.id) && !row.querySelector('[data-undo]')) row.remove()
    }
    const list = place.querySelector('ol.requests')
    if (list?.children.length === 0) list.remove()
  }

  function replacePager(fresh) {
    const [old, next] = [place, fresh].map(part => part.querySelector('nav.pager'))
    if (old?.innerHTML === next?.innerHTML) return
    old?.remove()
    if (next) place.append(next)
  }

  function announce(rows) {
    const news = rows.filter(({ dataset }) => !announced.has(dataset.id))
    if (news.length === 0) return
    for (const { dataset } of news) announced.add(dataset.id)
    const { host, place: where } = news[0].dataset
    arrivals.textContent = (news.length === 1 ? root.dataset.arrivedOne : root.dataset.arrivedMany)
      .replace('{host}', host)
      .replace('{site}', where)
      .replace('{count}', news.length)
  }

  function showCount({ dataset: { count, heading } }) {
    document.getElementById('pending-heading').textContent = heading
    document.title = `${count === '0' ? '' : `(${count}) `}${root.dataset.title} · Préau`
  }

  forgetUndo(place)
  return {
    missingIn,
    take,
    showWaiting,
    isUntidy: () =>
      held.size > 0 || place.querySelector('[data-decided]:not(:has([data-undo]))') !== null,
    onShow: listener => (shown = listener),
  }
}

/** The facts change, the forms stay: nobody loses what they are choosing or typing. What is decided has other forms. */
function mergeRow(old, fresh) {
  if (!old || Number(old.dataset.version) >= Number(fresh.dataset.version)) return
  const isTurned = 'decided' in old.dataset !== 'decided' in fresh.dataset
  old.dataset.version = fresh.dataset.version
  for (const name of ['data-unseen', 'data-decided'])
    old.toggleAttribute(name, fresh.hasAttribute(name))
  const hasFocus = old.contains(document.activeElement)
  if (isTurned) {
    // The rows below must not move up under a pointer.
    old.style.minHeight = `${old.getBoundingClientRect().height}px`
    old.classList.toggle('is-decided')
    old.replaceChildren(...fresh.childNodes)
    forgetUndo(old)
    if (hasFocus) old.focus({ preventScroll: true })
    return
  }
  const facts = old.querySelector('.facts')
  const isOnFacts = facts.contains(document.activeElement)
  facts.replaceWith(fresh.querySelector('.facts'))
  if (isOnFacts) old.querySelector('.facts a').focus({ preventScroll: true })
}
