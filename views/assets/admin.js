// Every page: keeps « il y a 3 min » true and closes open menus. The pending list has its own script.
import { startCopying } from './copy.js'
import { startLists } from './lists.js'
import { startLivePage } from './live-page.js'
import { startPending } from './pending.js'
import { listenReasons } from './reasons.js'
import { listenRowActs } from './row-acts.js'
import { listenSettled, settlePage } from './settle.js'

const AGO_MS = 15_000
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang === 'en' ? 'en-GB' : 'fr-FR', {
  numeric: 'auto',
  style: 'short',
})

function ago(then) {
  const elapsed = Date.now() - then
  const [unit, size] = UNITS.find(([, ms]) => elapsed >= ms) ?? ['second', Infinity]
  return relative.format(-Math.max(0, Math.floor(elapsed / size)), unit)
}

function refreshTimes() {
  for (const time of document.querySelectorAll('time[data-ago]')) {
    const text = ago(Date.parse(time.dateTime))
    if (time.textContent !== text) time.textContent = text
  }
}
setInterval(refreshTimes, AGO_MS)

document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false
  }
})
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return
  const open = document.activeElement?.closest('details.menu[open], details.refuse[open]')
  if (!open) return
  open.open = false
  open.querySelector('summary').focus()
})

listenSettled()
listenRowActs()
if (/[?&](?:done|undone|added|removed)=/.test(location.search)) settlePage()
listenReasons()
startCopying()
const live = document.getElementById('live')
if (live) startPending(live)
if (document.querySelector('[data-live-parts]')) startLists()
if (document.querySelector('[data-live-page]')) startLivePage()
