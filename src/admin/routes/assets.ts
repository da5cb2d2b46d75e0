/** Style sheets, scripts and icons: our folder, and Pico.css from its package. */
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ASSETS } from '../access.ts'

export async function assetRoutes(app: FastifyInstance): Promise<void> {
  const file = fileURLToPath(import.meta.resolve('@picocss/pico/css/pico.min.css'))
  // Its icons are data: URLs, which our content security policy does not load; admin.css brings the few we use.
  const pico = (await readFile(file, 'utf8')).replaceAll(/url\("data:[^"]*"\)/g, 'none')
  const etag = `"pico-${pico.length}"`
  app.get(`${ASSETS}pico.css`, { config: { access: 'public' } }, (request, reply) => {
    // Asked again each time and answered 304: an update of Préau shows at once.
    reply.header('cache-control', 'no-cache').header('etag', etag).type('text/css; charset=utf-8')
    return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(pico)
  })
  await app.register(fastifyStatic, {
    root: fileURLToPath(new URL('../../../views/assets', import.meta.url)),
    prefix: ASSETS,
    wildcard: false,
    index: false,
    list: false,
    decorateReply: false,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: reply => void reply.header('cache-control', 'no-cache'),
  })
}
