// Follows the request live and opens the site by itself. The page says and does everything without this script, too.

// A reload would ask whether to send a form again; replacing by the same address does not, but ignores a fragment.
const openSite = () => (location.hash ? location.reload() : location.replace(location.href))

;(() => {
  const back = document.getElementById('back')
  const card = document.getElementById('request')
  back.hidden = history.length < 2
  back.addEventListener('click', () => history.back())
  if (!card) return

  const form = document.getElementById('ask')
  const button = form.querySelector('button')
  const line = document.getElementById('state')
  const hint = document.getElementById('hint')
  const words = card.dataset

  // A click that could not be recorded: it is kept here, and sent again by and by.
  let unsent

  const show = next => {
    if (unsent && (next.state === 'none' || next.state === 'unavailable')) {
      // The state of before the click; the store answers again, and a whole city must not do so at once.
      if (next.state === 'none') resend(3e3)
      return
    }
    clearTimeout(unsent)
    unsent = 0
    if (next.state) card.dataset.state = next.state
    if (line.textContent !== next.text) line.textContent = next.text
    hint.textContent = next.hint || ''
    const { state } = card.dataset
    const isAskable = !next.isTooSoon && !['sent', 'seen', 'approved'].includes(state)
    if (!isAskable && form.contains(document.activeElement)) line.focus()
    form.hidden = !isAskable
    button.textContent = words[{ refused: 'again', unavailable: 'retry', unsent: 'retry' }[state] || 'ask']
    if (state === 'unsent') resend(9e3)
    if (next.reload) openSite()
  }

  const resend = within => {
    clearTimeout(unsent)
    unsent = setTimeout(() => void ask(), within / 3 + (Math.random() * within * 2) / 3)
  }

  // Opens the page again once somebody answers: an error page of the browser could not come back by itself. Any answer
  // but our 403 means that the site is open already.
  const attempt = async delay => {
    const isWaiting = card.dataset.state === 'sent' || card.dataset.state === 'seen'
    try {
      const { status } = await fetch(location.href, { method: 'HEAD', redirect: 'manual', cache: 'no-store' })
      if (delay > 1e3 || status !== 403) return openSite()
    } catch {
      // Nobody answers yet.
    }
    retry(isWaiting ? 1e4 : 6e4)
  }
  const retry = delay => setTimeout(() => void attempt(delay), delay)

  const follow = () => {
    const events = new EventSource('/.preau/follow')
    events.addEventListener('state', event => {
      const next = JSON.parse(event.data)
      if (next.reload) events.close()
      show(next)
    })
    // While the state is CONNECTING the browser tries again. CLOSED: too many followers, or the site itself answered.
    events.addEventListener('error', () => {
      if (events.readyState === EventSource.CLOSED) retry(1e3)
    })
    addEventListener('pagehide', () => events.close(), { once: true })
  }

  form.addEventListener('submit', event => {
    event.preventDefault()
    if (!button.ariaDisabled) void ask()
  })

  const ask = async () => {
    // Not `disabled`: that would take the focus away.
    button.ariaDisabled = 'true'
    if (!unsent) line.textContent = words.sending
    clearTimeout(unsent)
    try {
      const answer = await fetch('/.preau/unblock', { method: 'POST', headers: { Accept: 'application/json' } })
      const isOurs = (answer.headers.get('content-type') || '').startsWith('application/json')
      unsent = 0
      if (isOurs) show(await answer.json())
      else openSite()
    } catch {
      line.textContent = words.failed
      resend(9e3)
    }
    button.ariaDisabled = null
  }

  // Born open: a moment's wait, so that a connection kept from before cannot make a storm of reloads.
  if ('reload' in words) setTimeout(openSite, 1e3)
  else {
    follow()
    addEventListener('pageshow', event => event.persisted && follow())
  }
})()
