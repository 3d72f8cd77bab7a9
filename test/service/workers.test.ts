import { readdirSync, readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { activateService, ask, newFolder, start, type Service } from './service.js'

/** The processes that the service has started and that have not ended. */
function workersOf({ child }: Service): number[] {
  return readdirSync('/proc').map(Number).filter((pid) => pid > 0 && parentOf(pid) === child.pid)
}

/** The parent of a process; undefined where it has ended. */
function parentOf(pid: number): number | undefined {
  try {
    // proc_pid_stat(5): after the name, which may itself hold parentheses, come state and parent.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ')
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}

/** One of them; never 0, which as a target of a signal means the whole process group of the tests. */
function first(workers: number[]): number {
  const [pid] = workers
  if (pid === undefined) throw new Error('expected the service to have workers, it has none')
  return pid
}

/** Throws where it is not `done` within a minute, which is far more than anything here takes on a busy machine. */
async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`expected this within a minute, it did not come: ${String(done)}`)
    await sleep(20)
  }
}

const runs = (pid: number): boolean => parentOf(pid) !== undefined

/** Opens `count` connections; which worker accepts which is the kernel's choice. */
async function connect(service: Service, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => createConnection(service.socketPath).on('error', () => {}))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  return sockets
}

test('WORKERS=1, the default, is one process', async (t) => {
  t.deepEqual(workersOf(await activateService(t)), [])
})

test('WORKERS=3 is three processes that answer, and one that keeps them', async (t) => {
  const service = await activateService(t, { WORKERS: '3' })
  t.is(workersOf(service).length, 3)
  t.is((await ask(service, 'GET', '/health')).body, '{"status":"ok"}')
})

test('a worker that is killed is replaced, and the service answers meanwhile', async (t) => {
  const service = await activateService(t, { WORKERS: '2' })
  const before = workersOf(service)
  process.kill(first(before), 'SIGKILL')
  // What it had accepted ends with it.
  await until(() => !runs(first(before)))
  t.is((await ask(service, 'GET', '/health')).status, 200)
  await until(() => workersOf(service).filter((pid) => !before.includes(pid)).length === 1)
  t.true(workersOf(service).includes(before[1] ?? -1))
  t.regex(service.log(), /a worker ended and is replaced/)
  t.is((await ask(service, 'GET', '/health')).status, 200)
})

test('SIGTERM drains all workers, answers what is half sent, and ends with status 0', async (t) => {
  const service = await activateService(t, { WORKERS: '3', DRAIN_GRACE: '0.2' })
  const workers = workersOf(service)
  const sockets = await connect(service, 12)
  const answers = sockets.map((socket) => {
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    return new Promise<string>((resolve) => socket.once('close', () => resolve(received)))
  })
  for (const socket of sockets) socket.write('GET /health HTTP/1.1\r\nHo')
  // Whoever is not accepted yet would be answered by the next process of systemd's, which is not here.
  await sleep(200)
  service.child.kill('SIGTERM')
  await sleep(400)
  for (const socket of sockets) socket.write('st: x\r\n\r\n')
  for (const answer of await Promise.all(answers)) t.regex(answer, /^HTTP\/1\.1 200 OK/)
  t.is(await service.ended, 0)
  t.deepEqual(workers.filter(runs), [])
})

test('it leaves, with status 0, only once every worker is idle', async (t) => {
  const service = await activateService(t, { WORKERS: '2', IDLE_TIMEOUT: '0.2' })
  const [socket] = await connect(service, 1)
  await sleep(1000)
  t.is(service.child.exitCode, null)
  socket?.destroy()
  t.is(await service.ended, 0)
})

test('workers whose supervisor is killed end by themselves', async (t) => {
  const service = await activateService(t, { WORKERS: '2' })
  const workers = workersOf(service)
  service.child.kill('SIGKILL')
  await until(() => workers.every((pid) => !runs(pid)))
  t.pass()
})

test('a worker that hangs for WatchdogSec= is killed and replaced', async (t) => {
  const service = await activateService(t, { WORKERS: '2', WATCHDOG_USEC: '4000000' })
  // Who has not yet said that it is ready is still starting, and may take its time.
  await sleep(1000)
  const before = workersOf(service)
  t.notRegex(service.log(), /is replaced/)
  process.kill(first(before), 'SIGSTOP')
  await until(() => workersOf(service).some((pid) => !before.includes(pid)))
  t.false(workersOf(service).includes(first(before)))
})

test('serve --worker by hand is refused with status 64', async (t) => {
  const service = start(t, [process.execPath, join(newFolder(t), 'index.js'), 'serve', '--worker', '3'], {})
  t.is(await service.ended, 64)
  t.regex(service.log(), /WORKERS is more than 1/)
})
