/** Firefox ESR as schools have it: an allowed site with its own certificate, the block page in clear and in TLS. */
import t from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFirefox } from '../support/firefox.ts'
import { startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'
import { talk } from '../support/talk.ts'
import { openEcho } from '../support/websocket.ts'

const NAME = 'ecole.test'
// Not one that Firefox knows to be HTTPS only (its HSTS preload list).
const BLOCKED = 'www.jeux.fr'

t.test('Firefox shows allowed sites, and the block page where a site is refused', async t => {
  const dir = t.testdir()
  const sites = await openSites(t, { dir, name: NAME }, (_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end('<!doctype html><title>École</title><h1>La leçon du jour</h1>')
  })
  const echo = await openEcho(t)
  const connectPorts = [443, Number(new URL(sites.https).port)]
  const config = { proxy: { port: 0, connectPorts } }
  const product = await startProduct(t, { dir, names: [NAME], config })
  const firefox = await openFirefox(t, {
    proxy: product.proxyUrl,
    trusted: [product.caFile, sites.caFile],
  })
  const heading = (): Promise<unknown> => firefox.evaluate("document.querySelector('h1').innerText")
  const keep = async (name: string): Promise<void> => {
    const folder = process.env['PREAU_SHOTS']
    if (folder !== undefined) writeFileSync(join(folder, name), await firefox.screenshot())
  }
  for (const url of [sites.http, sites.https]) {
    await firefox.goto(`${url}/`)
    t.equal(await firefox.evaluate('location.href'), `${url}/`)
    t.equal(await heading(), 'La leçon du jour', url)
  }
  await firefox.goto(`${sites.http}/`)
  const heard = await firefox.evaluate(talk(`ws://${NAME}:${echo.port}/salle`))
  t.equal(heard, 'echo bonjour', 'a WebSocket in clear stands')
  for (const scheme of ['http', 'https']) {
    await firefox.goto(`${scheme}://${BLOCKED}/jeu?nom=secret`)
    t.match(await firefox.evaluate('document.body.innerText'), BLOCKED, scheme)
    t.equal(await firefox.evaluate('document.documentElement.lang'), 'fr')
    t.equal(await firefox.evaluate('location.protocol'), `${scheme}:`)
    await keep(`firefox-${scheme}.png`)
  }
  await firefox.evaluate("document.querySelector('form button').click()")
  const sent = `new Promise(resolve => {
    const look = () => /envoyée/.test(document.body.innerText) ? resolve(true) : setTimeout(look, 50)
    look()
  })`
  t.equal(await firefox.evaluate(sent), true, 'a click asks for the site, and the page tells')
  await keep('firefox-asked.png')
})
