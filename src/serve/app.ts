import Router from '@koa/router'
import Koa from 'koa'
import { healthDocument, healthMediaType, plainHealth } from './health.js'
import type { Log } from './log.js'

const allow = 'GET, HEAD, OPTIONS'

/**
 * The application: routes, errors, headers. It knows no process and no socket; `app.callback()` is a request
 * listener of node:http.
 */
export function createApp(log: Log): Koa {
  const app = new Koa()
  const router = new Router({ strict: true, sensitive: true })

  router.get('/health', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Vary', 'Accept')
    if (ctx.get('Accept').includes(healthMediaType)) {
      const health = healthDocument()
      answer(ctx, health.status === 'fail' ? 503 : 200, JSON.stringify(health), healthMediaType)
    } else {
      answer(ctx, 200, plainHealth)
    }
  })
  router.options('/health', (ctx) => {
    ctx.set('Allow', allow)
    ctx.status = 204
  })
  router.all('/health', (ctx) => {
    ctx.set('Allow', allow)
    answerDetail(ctx, 405, 'Method Not Allowed')
  })
  router.all('/health/', (ctx) => {
    ctx.set('Location', `/health${ctx.search}`)
    ctx.status = 307
    ctx.body = ''
  })

  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      log.error({ err: error, method: ctx.method, url: ctx.url }, 'request failed')
      answerDetail(ctx, 500, 'Internal Server Error')
      return
    }
    log.debug({ method: ctx.method, url: ctx.url, status: ctx.status }, 'request')
  })
  app.use(router.routes())
  app.use((ctx) => answerDetail(ctx, 404, 'Not Found'))
  // What is left for Koa to report is an answer that could not be written: the client has gone.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer not delivered'))
  return app
}

// A string with its own type: an object body makes Koa touch the global Response, which loads undici.
function answer(ctx: Koa.Context, status: number, body: string, mediaType = 'application/json'): void {
  ctx.status = status
  ctx.set('Content-Type', mediaType)
  ctx.body = body
}

function answerDetail(ctx: Koa.Context, status: number, detail: string): void {
  answer(ctx, status, JSON.stringify({ detail }))
}
