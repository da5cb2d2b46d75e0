/** In a real browser: no page of the admin app shows in a frame, where a click could be stolen. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { signIn, startWorld } from '../admin/chromium.ts'

t.test('a page of this very site that frames the admin app shows nothing of it', async t => {
  const { world, url, browser } = await startWorld(t)
  await world.user('Claire', 'dsi')
  await world.ask()
  const paths = ['/', '/grants', '/sign-in', '/nope', '/%', '/assets/preau.svg']
  // Another port is the same site to a cookie: the session comes along, so that the frame alone is in the way.
  const evil = createServer((_, response) => {
    const frames = paths.map(path => `<iframe src="${url}${path}"></iframe>`).join('')
    response.setHeader('content-type', 'text/html').end(frames)
  })
  evil.listen(0, '127.0.0.1')
  await once(evil, 'listening')
  t.teardown(() => {
    evil.closeAllConnections()
    evil.close()
  })
  const context = await signIn(browser, url, 'claire')
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', message => {
    if (/frame-ancestors|X-Frame-Options/i.test(message.text())) refused.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  const frames = page.frames().slice(1)
  t.equal(frames.length, paths.length)
  for (const frame of frames) {
    t.equal(frame.url(), 'chrome-error://chromewebdata/')
    t.notMatch(await frame.content(), /_csrf|jeux\.example|Claire/)
  }
  t.equal(refused.length, paths.length)
  await context.close()
})
