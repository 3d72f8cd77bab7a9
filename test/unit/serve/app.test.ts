import test from 'ava'
import { startApp } from './start-app.js'

test('GET /health is exactly {"status":"ok"}, as JSON, not to be stored', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('GET', '/health')
  t.is(status, 200)
  t.is(body, '{"status":"ok"}')
  t.is(headers['content-type'], 'application/json')
  t.is(headers['content-length'], '15')
  t.is(headers['cache-control'], 'no-store')
})

test('a query does not change the answer', async (t) => {
  const { ask } = await startApp(t)
  t.is((await ask('GET', '/health?verbose=1')).body, '{"status":"ok"}')
})

test('HEAD /health has the headers of GET and no body', async (t) => {
  const { ask } = await startApp(t)
  const get = await ask('GET', '/health')
  const head = await ask('HEAD', '/health')
  t.is(head.status, 200)
  t.is(head.body, '')
  for (const name of ['content-type', 'content-length', 'cache-control']) t.is(head.headers[name], get.headers[name])
})

test('OPTIONS /health is 204 and says what is allowed', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('OPTIONS', '/health')
  t.is(status, 204)
  t.is(headers.allow, 'GET, HEAD, OPTIONS')
  t.is(body, '')
})

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH', 'QUERY']) {
  test(`${method} /health is 405 and says what is allowed`, async (t) => {
    const { ask } = await startApp(t)
    const { status, headers, body } = await ask(method, '/health')
    t.is(status, 405)
    t.is(headers.allow, 'GET, HEAD, OPTIONS')
    t.is(headers['content-type'], 'application/json')
    t.is(body, '{"detail":"Method Not Allowed"}')
  })
}

test('GET /health/ is sent to /health with its query', async (t) => {
  const { ask } = await startApp(t)
  const { status, headers, body } = await ask('GET', '/health/?a=1')
  t.is(status, 307)
  t.is(headers.location, '/health?a=1')
  t.is(body, '')
})

for (const path of ['/', '/HEALTH', '/Health', '/health/x', '//health', '/healthz', '/%68ealth/..', '*']) {
  test(`GET ${path} is 404 as JSON`, async (t) => {
    const { ask } = await startApp(t)
    const { status, headers, body } = await ask('GET', path)
    t.is(status, 404)
    t.is(headers['content-type'], 'application/json')
    t.is(body, '{"detail":"Not Found"}')
  })
}

test('no answer says what the server is made of', async (t) => {
  const { ask } = await startApp(t)
  for (const path of ['/health', '/nothing']) {
    const { headers } = await ask('GET', path)
    t.is(headers['server'], undefined)
    t.is(headers['x-powered-by'], undefined)
  }
})

test('successful requests are logged at debug alone', async (t) => {
  const { ask, logged } = await startApp(t)
  await ask('GET', '/health')
  t.deepEqual(logged, ['debug'])
})
