import { Agent } from 'node:http'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { activateService, ask, type Service } from './service.js'

function connect(service: Service): Promise<Socket & { received: () => string }> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = createConnection(service.socketPath)
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    socket.once('error', reject)
    socket.once('connect', () => resolve(Object.assign(socket, { received: () => received })))
  })
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

test('it leaves by itself, with status 0, once nobody has been connected for IDLE_TIMEOUT', async (t) => {
  const service = await activateService(t, { IDLE_TIMEOUT: '0.1' })
  t.is(await service.ended, 0)
})

test('an open connection keeps it from leaving', async (t) => {
  const service = await activateService(t, { IDLE_TIMEOUT: '0.1' })
  const socket = await connect(service)
  await sleep(500)
  t.is(service.child.exitCode, null)
  socket.destroy()
  t.is(await service.ended, 0)
})

test('SIGTERM with nobody connected ends it with status 0', async (t) => {
  const service = await activateService(t)
  service.child.kill('SIGTERM')
  t.is(await service.ended, 0)
})

test('a request that comes on an open connection while it drains is answered, with Connection: close', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '5' })
  const socket = await connect(service)
  service.child.kill('SIGTERM')
  await sleep(100)
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  await closed(socket)
  t.regex(socket.received(), /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*\{"status":"ok"\}$/)
  t.is(await service.ended, 0)
})

test('a request that is half sent when the drain begins is answered, however long past the grace', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '0.1' })
  const socket = await connect(service)
  socket.write('GET /health HTTP/1.1\r\nHo')
  await sleep(100)
  service.child.kill('SIGTERM')
  await sleep(400)
  socket.write('st: x\r\n\r\n')
  await closed(socket)
  t.regex(socket.received(), /^HTTP\/1\.1 200 OK/)
  t.is(await service.ended, 0)
})

test('a connection that stays silent past DRAIN_GRACE is ended', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '0.1' })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await ask(service, 'GET', '/health', { agent })
  service.child.kill('SIGTERM')
  t.is(await service.ended, 0)
})

test('a drain that takes longer than SHUTDOWN_TIMEOUT is cut short, and says so', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '0.1', SHUTDOWN_TIMEOUT: '0.3' })
  const socket = await connect(service)
  socket.write('GET /health HTTP/1.1\r\nHo')
  await sleep(50)
  service.child.kill('SIGTERM')
  await closed(socket)
  t.is(await service.ended, 0)
  t.regex(service.log(), /cut the drain short/)
})

test('every one of many pipelined requests is answered across SIGTERM', async (t) => {
  const service = await activateService(t)
  const socket = await connect(service)
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20))
  service.child.kill('SIGTERM')
  await closed(socket)
  t.is(await service.ended, 0)
  t.true(socket.received().startsWith('HTTP/1.1 200'))
})
