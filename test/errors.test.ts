import t from 'tap'
import { globSync, readFileSync } from 'node:fs'
import { ERRORS, PreauError, type ErrorCode } from '../src/errors.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]

t.test('every error speaks French and English, with the same blanks to fill', async t => {
  const blanks = (text: string) =>
    [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? '').toSorted()
  for (const code of codes) {
    const { fr, en, status } = ERRORS[code]
    t.strictSame(blanks(fr), blanks(en), code)
    t.ok(status >= 400 && status < 600, `${code} has an HTTP status`)
  }
})

t.test('no area takes the code of another one', async t => {
  const written = globSync('src/errors/*.ts')
    .map(file => readFileSync(file, 'utf8'))
    .flatMap(text => [...text.matchAll(/^ {2}(PREAU_\w+):/gm)].map(([, code = '']) => code))
  t.strictSame(written.toSorted(), codes.toSorted())
})

t.test('no error is written that nothing raises', async t => {
  const sources = globSync('src/**/*.{ts,js}', { exclude: ['src/errors/**'] })
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  for (const code of codes) t.ok(sources.includes(`'${code}'`), code)
})

t.test('an error has a message for logs and a text for people', async t => {
  const error = new PreauError('PREAU_PORT_REFUSED', { port: 22 })
  t.equal(error.message, 'Port 22 is not allowed.')
  t.equal(error.text('fr'), 'Le port 22 n’est pas autorisé.')
  t.equal(error.status, 403)
})
