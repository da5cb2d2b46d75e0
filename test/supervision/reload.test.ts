/** However many SIGHUPs come, one reload is under way, and the last one is never forgotten. */
import t from 'tap'
import { configSchema, type Config } from '../../src/config.ts'
import { PreauError } from '../../src/errors.ts'
import { createReload, type Reload } from '../../src/supervision/reload.ts'

const FIRST = configSchema.parse({})
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A supervisor whose replacing ends when the test says. */
function aWorld() {
  const said: Reload[] = []
  const world = {
    said,
    begun: 0,
    readConfig: (): Config => FIRST,
    end: (_error?: Error): void => undefined,
    replacing: 0,
    supervisor: {
      config: FIRST,
      isStopping: false,
      replaceAll(config: Config): Promise<void> {
        world.replacing += 1
        return new Promise((resolve, reject) => {
          world.end = error => {
            if (error !== undefined) return reject(error)
            world.supervisor.config = config
            return resolve()
          }
        })
      },
    },
  }
  const reload = createReload({
    supervisor: world.supervisor,
    readConfig: () => world.readConfig(),
    onBegin: () => void (world.begun += 1),
    onEnd: result => said.push(result),
  })
  return { world, reload }
}

t.test(
  'many requests while one is under way make one more, with what the file says then',
  async t => {
    const { world, reload } = aWorld()
    for (let i = 0; i < 5; i++) reload()
    t.equal(world.replacing, 1)
    world.readConfig = () => configSchema.parse({ limits: { connections: 7 } })
    world.end()
    await turn()
    t.equal(world.replacing, 2)
    world.end()
    await turn()
    t.equal(world.replacing, 2, 'and no third')
    t.match(world.said, [
      { outcome: 'done', changed: [] },
      { outcome: 'done', changed: ['limits.connections'] },
    ])
    reload()
    t.equal(world.replacing, 3, 'a later one is heard again')
  },
)

t.test('a configuration that cannot be taken replaces nobody', async t => {
  const { world, reload } = aWorld()
  const error = new PreauError('PREAU_CONFIG_INVALID', { file: 'f', key: 'workers', detail: 'd' })
  world.readConfig = () => {
    throw error
  }
  reload()
  await turn()
  t.equal(world.replacing, 0)
  t.strictSame(world.said, [{ outcome: 'refused', error }])
  world.readConfig = () => FIRST
  reload()
  t.equal(world.replacing, 1, 'the next one is tried')
})

t.test('a successor that does not start is told', async t => {
  const { world, reload } = aWorld()
  reload()
  const error = new Error('no')
  world.end(error)
  await turn()
  t.strictSame(world.said, [{ outcome: 'failed', error }])
})

t.test('what is being stopped is not reloaded, and says nothing more', async t => {
  const { world, reload } = aWorld()
  reload()
  reload()
  world.supervisor.isStopping = true
  world.end(new Error('it is being stopped'))
  await turn()
  reload()
  await turn()
  t.equal(world.replacing, 1)
  t.strictSame(world.said, [])
})
