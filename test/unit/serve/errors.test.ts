import test from 'ava'
import { createApp } from '../../../src/serve/app.js'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { noLimits } from './start-app.js'

test('an internal error is 500 without its cause, which is logged as an error', async (t) => {
  const logged: unknown[] = []
  const silent = () => {}
  const log = { debug: silent, info: silent, warn: silent, fatal: silent, error: (entry: unknown) => void logged.push(entry) }
  const app = createApp(log as never, noLimits)
  app.middleware.splice(1, 0, () => {
    throw new Error('the database password is 12345')
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/health`)
  t.is(response.status, 500)
  t.is(await response.text(), '{"detail":"Internal Server Error"}')
  t.regex(String((logged[0] as { err: Error }).err), /12345/)
})
