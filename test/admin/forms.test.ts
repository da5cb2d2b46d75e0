/** Every form of the panel: what is wrong is told beside its field, on the form itself, and nothing typed is lost. */
import t from 'tap'
import { createSetupLink } from '../../src/admin/setup-link.ts'
import { putSource } from './list-world.ts'
import { faultOf } from './page-text.ts'
import { openWorld, PASSWORD, START, tokenOf, type Browser, type World } from './world.ts'

interface Wrong {
  readonly form: Readonly<Record<string, string>>
  /** What is told, by field. */
  readonly faults: Readonly<Record<string, string>>
  readonly status?: number
}

const RULE = { host: 'a.example', action: 'block', category: '', site: '', reason: '', until: '' }
const SOURCE = { name: 'jeux', url: 'https://l.example/', format: 'lines', category: 'games' }
const SECRETS = ['password', 'repeat', 'current']
const SHORT = 'court'

/** By the address that the form is sent to. */
const FORMS: Readonly<Record<string, readonly Wrong[]>> = {
  '/sign-in': [
    { form: { name: '', password: SHORT }, faults: { name: 'à remplir' } },
    { form: { name: 'x'.repeat(129), password: SHORT }, faults: { name: 'Trop long' } },
    { form: { name: 'claire', password: SHORT.repeat(99) }, faults: { password: 'Trop long' } },
    { form: { name: 'claire', password: SHORT }, faults: {}, status: 401 },
  ],
  '/setup': [
    {
      form: { name: 'Claire', password: SHORT, repeat: SHORT },
      faults: { password: '12 à 256' },
    },
    {
      form: { name: 'Claire', password: PASSWORD, repeat: SHORT },
      faults: { repeat: 'pas les mêmes' },
    },
    {
      form: { name: '<b>', password: PASSWORD, repeat: PASSWORD },
      faults: { name: 'commence par une lettre' },
    },
  ],
  '/account': [
    { form: { current: SHORT, password: PASSWORD }, faults: { current: 'incorrect' }, status: 403 },
    { form: { current: PASSWORD, password: SHORT }, faults: { password: '12 à 256' } },
  ],
  '/users': [
    {
      form: { name: 'Élodie', role: 'reader', password: SHORT },
      faults: { password: '12 à 256' },
    },
    {
      form: { name: 'claire', role: 'reader', password: PASSWORD },
      faults: { name: 'existe déjà' },
      status: 409,
    },
    {
      form: { name: '', role: 'root', password: PASSWORD },
      faults: { name: 'à remplir', role: 'Choisissez' },
    },
  ],
  '/users/karim%20benali/password': [
    { form: { password: SHORT }, faults: { password: '12 à 256' } },
  ],
  '/local': [
    {
      form: { ...RULE, host: 'com', until: 'demain', note: 'à garder' },
      faults: { host: 'nom de site', until: 'date' },
    },
    {
      form: { ...RULE, action: 'x', site: '9999999Z', reason: 'r'.repeat(201) },
      faults: { action: 'Choisissez', site: 'pas dans la politique', reason: 'Trop long' },
    },
  ],
  '/lists/sources': [
    {
      form: { ...SOURCE, name: 'A', category: '' },
      faults: { name: 'minuscules', category: 'Choisissez' },
    },
  ],
  '/lists/sources/autre': [
    {
      form: { url: 'ftp://x/', format: 'lines', category: 'games', version: '1' },
      faults: { url: 'http' },
    },
  ],
}

for (const [url, wrong] of Object.entries(FORMS)) {
  t.test(
    `${url}: the form comes back with its values, and each fault beside its field`,
    async t => {
      const { world, browser, more } = await at(t, url)
      const before = await world.store.count('user')
      for (const { form, faults, status = 400 } of wrong) {
        const { statusCode, body } = await browser.post(url, { ...form, ...more })
        const name = JSON.stringify(form).slice(0, 100)
        t.equal(statusCode, status, name)
        t.match(body, `action="${url}"`, 'it is the form again')
        t.match(body, /class="notice problem" role="alert"/)
        for (const [field, text] of Object.entries(faults))
          t.match(faultOf(body, field), text, name)
        const told = Object.keys(form).filter(field => faultOf(body, field) !== '')
        t.same(told.sort(), Object.keys(faults).sort(), 'and nothing else is called wrong')
        for (const [field, value] of Object.entries(form)) {
          if (SECRETS.includes(field)) t.notMatch(body, `value="${value}"`, `${field} stays here`)
          else if (value !== '' && field !== 'version') t.ok(isShown(body, field, value), field)
        }
      }
      t.equal(await world.store.count('user'), before)
    },
  )
}

t.test('what cannot be mended in a form has a page of its own', async t => {
  const { browser } = await at(t, '/users')
  t.equal((await browser.post('/users/nobody/role', { role: 'dsi' })).statusCode, 404)
  t.equal((await browser.post('/local/remove', { key: 'x' })).statusCode, 404)
})

t.test('a question about a site says what is wrong beside what was asked', async t => {
  const { browser } = await at(t, '/users')
  const { body } = await browser.get('/explain?host=a%20b&ip=10.1')
  t.match(faultOf(body, 'host'), 'ni un nom de site')
  t.match(faultOf(body, 'ip'), 'pas une adresse IP')
  t.match(body, 'value="a b"')
})

function isShown(body: string, field: string, value: string): boolean {
  const escaped = value.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const selects = [...body.matchAll(new RegExp(`<select name="${field}".*?</select>`, 'gs'))]
  if (selects.length === 0) return body.includes(`value="${escaped}"`) || value.length > 200
  const isChoice = selects.some(([select]) => select.includes(`value="${escaped}"`))
  return !isChoice || selects.some(([select]) => select.includes(`value="${escaped}" selected`))
}

interface Place {
  readonly world: World
  readonly browser: Browser
  /** Hidden fields of the form. */
  readonly more: Record<string, string>
}

async function at(t: Parameters<typeof openWorld>[0], url: string): Promise<Place> {
  const world = await openWorld(t)
  const link = await createSetupLink(world.store, START)
  if (url === '/setup') {
    const browser: Browser = world.browser()
    browser.csrf = tokenOf(await browser.get(`/setup?token=${link?.token}`))
    return { world, browser, more: { token: link?.token ?? '' } }
  }
  await world.user('Claire', 'dsi')
  await world.user('Karim Benali', 'reader')
  await putSource(world.store, { name: 'autre' })
  if (url !== '/sign-in') return { world, browser: await world.as('Claire'), more: {} }
  const browser = world.browser()
  browser.csrf = tokenOf(await browser.get('/sign-in'))
  return { world, browser, more: { next: '/local' } }
}
