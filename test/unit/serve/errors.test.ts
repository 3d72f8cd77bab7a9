import test, { type ExecutionContext } from 'ava'
import { createApp } from '../../../src/serve/app.js'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { noLimits } from './start-app.js'

/** The address of /health of a server that lives as long as the test. */
async function listen(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`
}

test('an internal error is 500 without its cause, which is logged as an error', async (t) => {
  const logged: unknown[] = []
  const silent = () => {}
  const log = { debug: silent, info: silent, warn: silent, fatal: silent, error: (entry: unknown) => void logged.push(entry) }
  const app = createApp(log as never, noLimits)
  app.middleware.splice(1, 0, () => {
    throw new Error('the database password is 12345')
  })
  const response = await fetch(await listen(t, app.callback()))
  t.is(response.status, 500)
  t.is(await response.text(), '{"detail":"Internal Server Error"}')
  t.regex(String((logged[0] as { err: Error }).err), /12345/)
})

test('a method that the parser knows and Node has no name for is 405', async (t) => {
  const log = { debug: () => {}, debugs: false, error: (entry: unknown) => t.fail(String(entry)) }
  const callback = createApp(log as never, noLimits).callback()
  const address = await listen(t, (request, response) => {
    delete request.method
    void callback(request, response)
  })
  t.is((await fetch(address)).status, 405)
})
