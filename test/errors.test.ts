import t from 'tap'
import { globSync, readFileSync } from 'node:fs'
import { detailOf } from '../src/error-detail.ts'
import { ERRORS, PreauError, type ErrorCode } from '../src/errors.ts'
import { wordsOfCause } from '../src/errors/causes.ts'

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

t.test('a cause that another program names in English is read in both languages', async t => {
  const rows: [string, string, string][] = [
    [
      "ENOENT: no such file or directory, open '/x'",
      'fichier ou dossier introuvable',
      'no such file',
    ],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'connexion refusée 127.0.0.1:6379', 'refused 127'],
    [
      'listen EADDRNOTAVAIL: address not available 192.0.2.1:80',
      'adresse absente de cette machine 192.0.2.1:80',
      'not an address',
    ],
    ['listen EACCES: permission denied 127.0.0.1:80', 'accès refusé', 'permission denied'],
    ['getaddrinfo ENOTFOUND nowhere.test', 'nom introuvable nowhere.test', 'name not found'],
    ['database disk image is malformed', 'son contenu est abîmé', 'damaged'],
    [
      'WRONGPASS invalid username-password pair or user is disabled.',
      'Redis refuse le mot de passe',
      'refuses',
    ],
    ['no answer from Redis within 2000 ms', 'aucune réponse en 2000 ms', 'no answer'],
  ]
  for (const [cause, fr, en] of rows) {
    const error = new PreauError('PREAU_INTERNAL', { detail: cause })
    t.match(error.text('fr'), fr)
    t.match(error.text('en'), en)
    t.match(error.message, cause, 'the log has it as it was')
  }
  t.match(new PreauError('PREAU_INTERNAL', { detail: 'xyzzy' }).text('fr'), 'xyzzy')
})

t.test('JSON that is wrong is not repeated: it may hold a password', async t => {
  for (const text of ['{', '', '{"a":1,}', 'secret', '[1 2]', '{"password": secret}']) {
    try {
      JSON.parse(text)
    } catch (error) {
      t.match(detailOf(error).fr, /^ce n’est pas du JSON valable/)
      t.match(detailOf(error).en, /^not valid JSON/)
      t.notMatch(detailOf(error).en, 'secret')
    }
  }
})

t.test(
  'what the store, the CA and the supervisor throw from deep inside has its French',
  async t => {
    const texts = globSync('src/{store,tls,supervision}/**/*.ts').flatMap(file =>
      [...readFileSync(file, 'utf8').matchAll(/new Error\(\s*(?:'([^']+)'|`([^`]+)`)/g)].map(
        ([, plain, template = '']) => plain ?? template.replaceAll(/\$\{[^}]*\}/g, '7'),
      ),
    )
    t.ok(texts.length > 10)
    for (const text of texts) {
      const { fr, en } = wordsOfCause(text.replace(/^7 /, 'proxy '))
      t.not(fr, en, text)
    }
  },
)

t.test('no detail of an error is written in one language', async t => {
  for (const file of globSync('src/{store,tls,policy,categories,commands,supervision}/**/*.ts'))
    for (const [, text = ''] of readFileSync(file, 'utf8').matchAll(
      /\bdetail(?::| =) ['`]([^'`]+)['`]/g,
    )) {
      const { fr, en } = wordsOfCause(text.replaceAll(/\$\{[^}]*\}/g, '7'))
      t.ok(fr !== en || !/[a-z]{3} [a-z]{3}/.test(text), `${file}: ${text}`)
    }
})
