/** `ws://` as a page opens it: Chromium asks for a tunnel, with the ports that Préau is shipped with. */
import t from 'tap'
import { openBrowser } from '../support/browser.ts'
import { startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'
import { talk } from '../support/talk.ts'
import { openEcho } from '../support/websocket.ts'

const NAME = 'ecole.test'
const BLOCKED = 'www.jeux.fr'

t.test(
  'a page of plain HTTP talks over its WebSocket, compressed as browsers ask, and not to a refused site',
  async t => {
    const dir = t.testdir()
    const echo = await openEcho(t, { perMessageDeflate: true })
    const sites = await openSites(t, { dir, name: NAME }, (_request, response) => {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end('<!doctype html><title>École</title>')
    })
    const product = await startProduct(t, {
      dir,
      names: [NAME, BLOCKED],
      config: { proxy: { port: 0 } },
    })
    const browser = await openBrowser(t, { proxy: product.proxyUrl })
    const page = await browser.newPage()
    await page.goto(`${sites.http}/`)
    const heard = (host: string) => page.evaluate(talk(`ws://${host}:${echo.port}/salle`))
    t.equal(await heard(NAME), 'echo bonjour')
    t.equal(await heard(BLOCKED), 'closed 1006')
    t.strictSame(echo.paths, ['/salle'])
    await page.close()
    await browser.close()
    await product.stop()
    const asked = product
      .accessLog()
      .filter(({ port }) => port === echo.port)
      .sort((a, b) => a.host.localeCompare(b.host))
    t.match(asked, [
      { method: 'CONNECT', host: NAME, verdict: 'allow', status: 101 },
      { method: 'CONNECT', host: BLOCKED, verdict: 'block', status: 403 },
    ])
  },
)
