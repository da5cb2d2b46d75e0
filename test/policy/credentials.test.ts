import t from 'tap'
import {
  authorization,
  looksLikeAddress,
  splitAddress,
  withoutUser,
} from '../../src/policy/credentials.ts'

t.test('the credentials of an address are kept apart from it', async t => {
  t.same(splitAddress('https://lists.example/a?b'), { url: 'https://lists.example/a?b' })
  t.same(splitAddress('https://reader:s%3Acret@lists.example:8443/a'), {
    url: 'https://lists.example:8443/a',
    credentials: { user: 'reader', password: 's:cret' },
  })
  t.match(splitAddress('http://reader@lists.example/'), {
    credentials: { user: 'reader', password: '' },
  })
  t.match(splitAddress('http://a:100%@lists.example/'), { credentials: { password: '100%' } })
  for (const text of ['ftp://a:b@lists.example/', 'lists.example', '/lists/a:b@c', '', 'http://'])
    t.equal(splitAddress(text), undefined, text)
})

t.test('an address is shown without them, however badly it is written', async t => {
  const rows: Record<string, string> = {
    'http://reader:s3cret@lists.example/x': 'http://lists.example/x',
    'ftp://reader:s3cret@lists.example/': 'ftp://lists.example/',
    'http://reader:s3/cret@lists.example/': 'http://lists.example/',
    'http://reader:s3@cret@lists.example/': 'http://lists.example/',
    'http://reader:s3cret@': 'http://',
    'https://lists.example/x': 'https://lists.example/x',
    '/lists/x@y': '/lists/x@y',
  }
  for (const [text, shown] of Object.entries(rows)) t.equal(withoutUser(text), shown, text)
})

t.test('an address is told from a path, also one that is no good', async t => {
  for (const text of ['http://a', 'HTTPS://a', 'ftp://u:p@a', 'http://u:p/q@a'])
    t.ok(looksLikeAddress(text), text)
  for (const text of ['list.txt', './http/x', '/a://b', 'C:\\list']) t.notOk(looksLikeAddress(text))
})

t.test('they are sent as RFC 7617 has it, in UTF-8', async t => {
  t.equal(
    authorization({ user: 'Aladdin', password: 'open sesame' }),
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  )
  t.equal(authorization({ user: 'é', password: '' }), 'Basic w6k6')
})
