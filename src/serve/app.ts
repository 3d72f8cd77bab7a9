import Router from '@koa/router'
import Koa from 'koa'
import type { Log } from './log.js'
import { healthMediaType, plainHealth } from './plain-health.js'
import type { HealthLimits } from './settings.js'

const allow = 'GET, HEAD, OPTIONS'

// Few ask for these, so they are loaded by the first who does and cost a start nothing.
const loadHealth = () => require('./health.js') as typeof import('./health.js')
const loadOpenapi = () => require('./openapi.js') as typeof import('./openapi.js')

/**
 * The application: routes, errors, headers. It knows no process and no socket; `app.callback()` is a request
 * listener of node:http.
 */
export function createApp(log: Log, limits: HealthLimits): Koa {
  const app = new Koa()
  const router = new Router({ strict: true, sensitive: true })

  // One layer for each path, not for each method: every request is matched against all of them.
  router.all('/health', (ctx) =>
    onlyReading(ctx, () => {
      ctx.set('Cache-Control', 'no-store')
      ctx.set('Vary', 'Accept')
      if (ctx.get('Accept').includes(healthMediaType)) return answerHealth(ctx, limits)
      answer(ctx, 200, plainHealth)
    })
  )
  router.all('/openapi.json', (ctx) => onlyReading(ctx, () => answer(ctx, 200, JSON.stringify(loadOpenapi().openapi))))
  router.all('/health/', (ctx) => {
    ctx.set('Location', `/health${ctx.search}`)
    ctx.status = 307
    ctx.body = ''
  })

  app.use(async (ctx, next) => {
    // A Node that is linked against a newer parser than its own, as Debian's is, has no name for that one's methods:
    // TRACE stands for them, as no route takes it either.
    ctx.req.method ??= 'TRACE'
    try {
      await next()
    } catch (error) {
      log.error({ err: error, method: ctx.method, url: ctx.url }, 'request failed')
      answerDetail(ctx, 500, 'Internal Server Error')
      return
    }
    if (log.debugs) log.debug({ method: ctx.method, url: ctx.url, status: ctx.status }, 'request')
  })
  app.use(router.routes())
  app.use((ctx) => answerDetail(ctx, 404, 'Not Found'))
  // What is left for Koa to report is an answer that could not be written: the client has gone.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer not delivered'))
  return app
}

/** Answers GET and HEAD by `read`, OPTIONS with what is allowed, and any other method with 405. */
function onlyReading(ctx: Koa.Context, read: () => void | Promise<void>): void | Promise<void> {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return read()
  ctx.set('Allow', allow)
  if (ctx.method === 'OPTIONS') ctx.status = 204
  else answerDetail(ctx, 405, 'Method Not Allowed')
}

async function answerHealth(ctx: Koa.Context, limits: HealthLimits): Promise<void> {
  const health = await loadHealth().healthDocument(limits)
  answer(ctx, health.status === 'fail' ? 503 : 200, JSON.stringify(health), healthMediaType)
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
