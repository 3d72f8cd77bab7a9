import { writeFileSync, chmodSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { activateService, ask, developService, newFolder, node, start } from './service.js'

test('the one file answers on the socket that systemd passes', async (t) => {
  const service = await activateService(t)
  t.is((await ask(service, 'GET', '/health')).body, '{"status":"ok"}')
})

test('without systemd it listens where LISTEN says, and says so', async (t) => {
  const service = await developService(t)
  t.is((await ask(service, 'GET', '/health')).status, 200)
  t.regex(service.log(), /no socket from systemd/)
})

const serve = (folder: string) => [node, join(folder, 'index.js'), 'serve']

test('bad settings end it with status 78 and one message that names them all', async (t) => {
  const service = start(t, serve(newFolder(t)), { IDLE_TIMEOUT: 'soon', WORKERS: '-1' })
  t.is(await service.ended, 78)
  t.regex(service.log(), /IDLE_TIMEOUT="soon": expected[^\n]+\n {2}WORKERS="-1": expected/)
})

test('LISTEN_PID of another process ends it with status 1 before it listens', async (t) => {
  const service = start(t, serve(newFolder(t)), { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'fastAPI' })
  t.is(await service.ended, 1)
  t.regex(service.log(), /^fastapi-health: LISTEN_PID: expected this process/)
})

for (const [what, redirect] of [
  ['a file', '3</dev/null'],
  ['closed', '3<&-'],
  ['a pipe', '3< <(sleep 1)']
] as const) {
  test(`a descriptor that is ${what} ends it with status 1 and its number`, async (t) => {
    const command = `export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=fastAPI; exec ${serve(newFolder(t)).join(' ')} ${redirect}`
    const service = start(t, ['bash', '-c', command], {})
    t.is(await service.ended, 1)
    t.regex(service.log(), /file descriptor 3 to be a listening socket/)
  })
}

for (const [what, protocol] of [
  ['connected, not listening,', 'tcp'],
  ['a datagram socket', 'udp']
] as const) {
  test(`a socket that is ${what} ends it with status 1 and its number`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const listen = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=fastAPI'
    const command = `${listen}; exec ${serve(newFolder(t)).join(' ')} 3<>/dev/${protocol}/127.0.0.1/${port}`
    const service = start(t, ['bash', '-c', command], {})
    t.is(await service.ended, 1)
    t.regex(service.log(), /file descriptor 3 to be a listening/)
  })
}

test('a bundle that cannot be read ends it with a status that is not 0 and the name of the file', async (t) => {
  const folder = newFolder(t)
  writeFileSync(join(folder, 'index.js'), 'this is cut sho')
  const cut = start(t, serve(folder), {})
  t.not(await cut.ended, 0)
  t.regex(cut.log(), /index\.js/)
  chmodSync(folder, 0o700)
  const missing = start(t, [node, join(folder, 'missing.js'), 'serve'], {})
  t.is(await missing.ended, 1)
  t.regex(missing.log(), /missing\.js/)
})

test('an address that is taken ends it with status 1 and names the setting', async (t) => {
  const first = await developService(t)
  const second = start(t, serve(newFolder(t)), { LISTEN: first.socketPath })
  t.is(await second.ended, 1)
  t.regex(second.log(), /LISTEN: cannot listen there/)
})

test('serve refuses arguments with status 64', async (t) => {
  const service = start(t, [...serve(newFolder(t)), '--port', '80'], {})
  t.is(await service.ended, 64)
})
