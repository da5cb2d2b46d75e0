/** One colour has one meaning on every page: what a site is for those who look, not what its category might be. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { aCandidate, aList, inForce, putCandidate, putLists } from './list-world.ts'
import { readingOf } from './page-text.ts'
import { openWorld, START } from './world.ts'

const css = ['admin', 'lists', 'pages'].map(name =>
  readFileSync(`views/assets/${name}.css`, 'utf8'),
)

/** The colour that a style sheet gives to a class. */
function colourOf(selector: string): string {
  const rules = css.join('\n').split('}')
  const rule = rules.find(text =>
    (text.split('{')[0] ?? '').split(',').some(s => s.trim() === selector),
  )
  return /background: var\(--(\w+)-wash\)/.exec(rule ?? '')?.[1] ?? ''
}

t.test(
  'closed, warned of, open and in order have four colours, whatever they stand on',
  async t => {
    for (const closed of ['.tag.never', '.tag.closed', '.state.refused', '.tile.closes'])
      t.equal(colourOf(closed), 'danger', closed)
    for (const warned of ['.tag.warned', '.state.waiting', '.tile.warns'])
      t.equal(colourOf(warned), 'wait', warned)
    for (const open of ['.state.open', '.state.approved', '.tile.opens'])
      t.equal(colourOf(open), 'open', open)
    t.equal(colourOf('.state.ok'), 'good')
  },
)

t.test(
  'a category that closed the site is red where it is asked for, and said to close',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const games = await world.ask({ category: 'games' })
    const warnable = await world.ask({ host: 'achats.example' as never, category: 'shopping' })
    for (const id of [games, warnable]) {
      const { body } = await claire.get(`/requests/${id}`)
      t.match(body, '<span class="tag closed">')
      t.notMatch(body, 'tag warn')
      t.match(readingOf(body), 'Bloquée par le profil des postes qui demandent')
      t.notMatch(readingOf(body), 'Avertissement possible')
    }
    const never = await world.ask({ host: 'x.example' as never, category: 'adult' })
    t.match((await claire.get(`/requests/${never}`)).body, '<span class="tag never">')
  },
)

t.test(
  'the lists say for which profile a category is closed or warned of, and colour that',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const counts = { games: 5, shopping: 4, adult: 3 }
    await putLists(world.store, inForce(START, { lists: [aList('ut1', START, { counts })] }), START)
    const { body } = await (await world.as('Claire')).get('/lists')
    t.match(body, /<span class="tag closed">Bloquée[^<]*Élèves<\/span>/)
    t.match(body, /<span class="tag warned">Avertissement[^<]*Élèves<\/span>/)
    t.match(body, /<span class="tag never">Bloquée pour tous<\/span>/)
    t.notMatch(body, /class="bar \w/, 'how big it is has no colour of its own')
  },
)

t.test('what would open has the colour of what is open', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await putLists(world.store, inForce(START), START)
  await putCandidate(world.store, aCandidate(START), START)
  const { body } = await (await world.as('Claire')).get('/lists/candidate')
  t.notMatch(body, 'state small approved')
  t.match(body, /state small (open|refused|waiting)/)
})
