import { assert, property, string } from 'fast-check'
import tap from 'tap'
import { PreauError } from '../../src/errors.ts'
import type { Host } from '../../src/policy/host.ts'
import { describeBlockPage } from '../../src/portal/block-page.ts'
import { renderFailure } from '../../src/portal/failure-page.ts'
import { eta } from '../../src/portal/views.ts'
import { PortalWorld } from './portal-world.ts'

const ATTACKS = [
  '"><script>alert(1)</script>',
  "'onfocus=alert(1) autofocus='",
  '</title><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '{{7*7}} <%= 7*7 %> ${7*7}',
  '\u2028alert(1)\u2029',
  '--><svg onload=alert(1)>',
]

/** The tags of a document, in their order, but for the places where a long host may be broken. */
const shape = (html: string): string[] =>
  [
    ...html
      .replaceAll('<wbr>', '')
      .replace(/<script>[^]*?<\/script>/, '')
      .matchAll(/<\/?[a-z][a-z0-9]*/gi),
  ].map(String)

tap.test('whatever stands in a name, a place or a reason is text on the page', async t => {
  const world = await PortalWorld.open(t)
  const { snapshot } = world
  const render = (text: string): string =>
    eta.render(
      './block',
      describeBlockPage({
        refusal: {
          // The parser refuses such hosts; the page must hold even if one came through.
          client: {
            ip: text as Host,
            site: '0750001A',
            siteName: text,
            room: text,
            profile: 'pupils',
          },
          target: { host: text as Host, port: 80 },
          verdict: {
            action: 'block',
            reason: 'blocked-category',
            category: text,
            requestable: true,
          },
          scheme: 'http',
        },
        snapshot: { ...snapshot, city: { name: text, timeZone: 'Europe/Paris', contact: text } },
        now: 0,
        standing: { state: 'refused', text, hint: text },
        acknowledgeMinutes: 60,
        locale: 'fr',
      }),
    )
  const expected = shape(render('x'))
  for (const attack of ATTACKS) t.same(shape(render(attack)), expected, attack)
  const texts = string({ unit: 'binary', minLength: 1 })
  assert(property(texts, text => shape(render(text)).join() === expected.join()))
})

tap.test('the address asked for never stands on the page', async t => {
  const world = await PortalWorld.open(t)
  for (const attack of ATTACKS) {
    const { status, body } = await world.ask(
      `http://jeux.example/${encodeURI(attack)}?q=${encodeURIComponent(attack)}`,
    )
    t.equal(status, 403)
    t.notMatch(body, 'alert(1)')
  }
  const page = await world.ask(
    'http://jeux.example/"><script>alert(1)</script>'.replaceAll(' ', ''),
  )
  t.notMatch(page.body, 'alert(1)')
})

tap.test('a failed page explains itself, asks for nothing and escapes the host', async t => {
  const html = renderFailure(
    new PreauError('PREAU_NAME_NOT_FOUND', { host: '<b>a&b.example' }),
    'fr',
  )
  t.match(html, 'Le site &lt;b>a&amp;b.example n’existe pas'.replace('>', '&gt;'))
  t.notMatch(html, '<b>')
  t.notMatch(html, '<form')
  t.notMatch(html, '<script')
  t.ok(Buffer.byteLength(html) < 20_000)
  const english = renderFailure(new PreauError('PREAU_DIAL_TIMEOUT', { host: 'a.example' }), 'en')
  t.match(english, '<html lang="en">')
  t.match(english, 'took too long to answer')
})
