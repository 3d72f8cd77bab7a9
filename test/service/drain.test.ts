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

const request = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'

/** A connection that is answered on: accepted for certain, and not only in the queue. */
async function connectAndAsk(service: Service): ReturnType<typeof connect> {
  const socket = await connect(service)
  socket.write(request)
  while (answers(socket) < 1) await sleep(5)
  return socket
}

const answers = (socket: { received: () => string }) => socket.received().split('HTTP/1.1 200 OK').length - 1

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
  socket.write(request)
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

test('every one of the requests that come in one piece is answered, across SIGTERM and while it drains', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '5' })
  const [across, after] = [await connectAndAsk(service), await connectAndAsk(service)]
  const bothClosed = Promise.all([closed(across), closed(after)])
  across.write(request.repeat(20))
  service.child.kill('SIGTERM')
  await sleep(100)
  if (answers(across) === 21) across.destroy()
  after.write(request.repeat(20))
  await bothClosed
  t.is(answers(across), 21)
  t.is(answers(after), 21)
  t.is(await service.ended, 0)
})

test('a request that came while the process was held up is answered, however late the process finds its time over', async (t) => {
  for (const [settings, signal] of [
    [{ DRAIN_GRACE: '0.2' }, 'SIGTERM'],
    [{ KEEP_ALIVE_TIMEOUT: '0.2' }, undefined]
  ] as const) {
    const service = await activateService(t, settings)
    const socket = await connectAndAsk(service)
    if (signal !== undefined) service.child.kill(signal)
    await sleep(50)
    service.child.kill('SIGSTOP')
    socket.write(request)
    // Past the timeout, and past the second that Node adds to keepAliveTimeout since 22.19 and 24.6.
    await sleep(1500)
    service.child.kill('SIGCONT')
    while (answers(socket) < 2 && !socket.closed) await sleep(5)
    t.is(answers(socket), 2)
    socket.destroy()
  }
})

test('a body that comes after its answer does not hold up a drain', async (t) => {
  const service = await activateService(t, { DRAIN_GRACE: '0.1', SHUTDOWN_TIMEOUT: '20' })
  const socket = await connect(service)
  socket.write('POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab')
  while (!socket.received().includes('Not Allowed')) await sleep(5)
  socket.write('cd')
  await sleep(50)
  service.child.kill('SIGTERM')
  t.is(await service.ended, 0)
  t.notRegex(service.log(), /cut the drain short/)
})

test('a kept connection is ended after KEEP_ALIVE_TIMEOUT, which lets the service leave', async (t) => {
  const service = await activateService(t, { KEEP_ALIVE_TIMEOUT: '0.1', IDLE_TIMEOUT: '0.1' })
  const socket = await connect(service)
  socket.write(request)
  await closed(socket)
  t.regex(socket.received(), /^HTTP\/1\.1 200 OK/)
  t.is(await service.ended, 0)
})

test('what is no request does not keep a connection open past KEEP_ALIVE_TIMEOUT', async (t) => {
  const service = await activateService(t, { KEEP_ALIVE_TIMEOUT: '0.1', IDLE_TIMEOUT: '0.1' })
  const [newline, half] = [await connectAndAsk(service), await connectAndAsk(service)]
  const bothClosed = Promise.all([closed(newline), closed(half)])
  newline.write('\r\n')
  half.write('GET /hea')
  await bothClosed
  t.is(await service.ended, 0)
})
