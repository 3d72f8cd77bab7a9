import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { described, runLoad } from '../../load/load.js'

async function listen(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fastapi-health-'))
  const socketPath = join(folder, 'load.sock')
  const server = createServer(listener).listen(socketPath)
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })
  return socketPath
}

test('every request is answered, on a connection of its own or on one for each client', async (t) => {
  const socketPath = await listen(t, (_request, response) => response.end('x'))
  for (const connections of ['new', 'kept'] as const) {
    const report = await runLoad({ target: { socketPath }, connections, clients: 4, requests: 100, durationMs: 10_000 })
    t.is(report.answered, report.sent)
    t.is(report.failed, 0)
    t.true(report.sent >= 100 && report.sent <= 103, described(report))
    t.is(report.connections, connections === 'new' ? report.sent : 4)
  }
})

test('a request whose connection ends without an answer has failed, and is not sent again', async (t) => {
  let received = 0
  const socketPath = await listen(t, (request, response) => {
    if (++received % 2 === 0) request.socket.destroy()
    else response.end('x')
  })
  const report = await runLoad({ target: { socketPath }, connections: 'kept', clients: 1, requests: 10, durationMs: 10_000 })
  t.is(received, 10)
  t.is(report.answered, 5)
  t.deepEqual(report.failures, { 'ECONNRESET on a kept connection': 5 })
  t.is(report.failedAt.length, 5)
})

test('another status, a refused connection and silence are failures by their names', async (t) => {
  const bounds = { connections: 'new', clients: 1, requests: 1, durationMs: 10_000 } as const
  const socketPath = await listen(t, (_request, response) => response.writeHead(502).end())
  t.deepEqual((await runLoad({ target: { socketPath }, ...bounds })).failures, { 'status 502': 1 })
  t.deepEqual((await runLoad({ target: { socketPath: `${socketPath}.not` }, ...bounds })).failures, { 'connect ENOENT': 1 })
  const silent = await listen(t, () => {})
  t.deepEqual((await runLoad({ target: { socketPath: silent }, ...bounds, waitMs: 50 })).failures, { 'no answer within 50 ms': 1 })
})

test('POST sends a body and expects 405', async (t) => {
  const socketPath = await listen(t, (request, response) => {
    request.resume().on('end', () => response.writeHead(request.method === 'POST' ? 405 : 200).end())
  })
  const report = await runLoad({ target: { socketPath }, method: 'POST', connections: 'new', clients: 1, requests: 5, durationMs: 10_000 })
  t.is(report.answered, 5)
})

test('it stops by itself, and when it is told to', async (t) => {
  const socketPath = await listen(t, (_request, response) => response.end('x'))
  const load = { target: { socketPath }, connections: 'kept', clients: 2, thinkMs: 5, requests: 1_000_000 } as const
  t.is((await runLoad({ ...load, durationMs: 50 })).failed, 0)
  t.is((await runLoad({ ...load, durationMs: 60_000 }, AbortSignal.timeout(50))).failed, 0)
})

test('nothing but this machine is ever a target, and no load is without bounds', async (t) => {
  const load = { connections: 'new', clients: 1, requests: 1, durationMs: 1 } as const
  const target = { socketPath: '/nowhere' }
  await t.throwsAsync(runLoad({ ...load, target: { host: '192.0.2.1', port: 80 } }), { message: /loopback/ })
  await t.throwsAsync(runLoad({ ...load, target: { host: '127.example.org', port: 80 } }), { message: /loopback/ })
  await t.throwsAsync(runLoad({ ...load, target, requests: 1e7 }), { message: /requests: expected 1 to 1000000/ })
  await t.throwsAsync(runLoad({ ...load, target, durationMs: Infinity }), { message: /durationMs/ })
  await t.throwsAsync(runLoad({ ...load, target, waitMs: 60_000 }), { message: /waitMs/ })
})
