import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createApp } from '../../../src/serve/app.js'
import { answerProbes } from '../../../src/serve/plain-health.js'

const silent = () => {}
const log = { debug: silent, info: silent, warn: silent, error: silent, fatal: silent, debugs: false }
const koa = (): RequestListener => createApp(log, { diskFreeWarnPercent: 0, memoryFreeWarnPercent: 0, eventLoopDelayWarnMs: 0 }).callback()

/** Everything that `listener` sends for the bytes of a request, but for the date. */
function answerOf(t: ExecutionContext, listener: RequestListener, request: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  const server = createServer(listener).listen(join(folder, 'app.sock'))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  return new Promise((resolve, reject) => {
    let received = ''
    connect(join(folder, 'app.sock'))
      .on('data', (chunk: Buffer) => (received += chunk.toString()))
      .on('close', () => resolve(received.replace(/^Date: .*$/m, 'Date: now')))
      .on('error', reject)
      .end(request)
  })
}

for (const [what, lines] of [
  ['a probe', ['GET /health HTTP/1.1', 'Host: x']],
  ['a probe that ends its connection', ['GET /health HTTP/1.1', 'Host: x', 'Connection: close']],
  ['a probe that takes any type', ['GET /health HTTP/1.1', 'Host: x', 'Accept: */*']],
  ['a probe of HTTP/1.0', ['GET /health HTTP/1.0']]
] as const) {
  test(`${what} gets the same bytes as by way of Koa`, async (t) => {
    const request = [...lines, '', ''].join('\r\n')
    let asked = 0
    const short = await answerOf(t, answerProbes(() => void asked++), request)
    t.is(asked, 0)
    t.is(short, await answerOf(t, koa(), request))
    t.regex(short, /^HTTP\/1\.1 200 OK\r\n/)
  })
}

for (const request of [
  'HEAD /health HTTP/1.1',
  'POST /health HTTP/1.1',
  'GET /health/ HTTP/1.1',
  'GET /health?verbose HTTP/1.1',
  'GET /HEALTH HTTP/1.1',
  'GET /health HTTP/1.1\r\nAccept: application/health+json',
  'GET /health HTTP/1.1\r\nAccept: text/html, application/health+json;q=0.1'
]) {
  test(`${JSON.stringify(request)} is left to Koa`, async (t) => {
    const left = await answerOf(
      t,
      answerProbes((_, response) => void response.writeHead(299, { Connection: 'close' }).end()),
      `${request}\r\nHost: x\r\n\r\n`
    )
    t.regex(left, /^HTTP\/1\.1 299 /)
  })
}
