import t from 'tap'
import { join } from 'node:path'
import { shorten } from '../../src/commands/terminal.ts'

t.test(
  'a path is told as one would type it from here, and whole where that would be no name',
  async t => {
    const before = process.cwd()
    t.teardown(() => process.chdir(before))
    const dir = t.testdir({ data: {} })
    process.chdir(dir)
    t.equal(shorten(join(dir, 'data', 'ca.pem')), join('data', 'ca.pem'))
    t.equal(shorten('/elsewhere/ca.pem'), '/elsewhere/ca.pem')
    t.equal(shorten(dir), dir, 'the folder itself')
    process.chdir('/')
    t.equal(
      shorten('/var/lib/preau/ca.pem'),
      '/var/lib/preau/ca.pem',
      'a service stands at the root',
    )
  },
)
