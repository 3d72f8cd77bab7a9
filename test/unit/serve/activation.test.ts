import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { takeActivation } from '../../../src/serve/activation.js'

const pid = process.pid

/** Descriptors 3 and up of this process are Node's own, so what is passed is told apart by name and by kind only. */
function env(variables: Record<string, string>): NodeJS.ProcessEnv {
  return { LISTEN_PID: String(pid), ...variables }
}

test('without LISTEN_ variables there is nothing to take over', (t) => {
  t.deepEqual(takeActivation({}, pid), { socketFds: [], notifyFd: undefined })
})

test('the LISTEN_ variables are deleted, even when they are refused', (t) => {
  const variables = { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'fastAPI', OTHER: 'kept' }
  t.throws(() => takeActivation(variables, pid))
  t.deepEqual(variables as Record<string, string>, { OTHER: 'kept' })
})

test('sockets passed to another process are refused', (t) => {
  t.throws(() => takeActivation({ LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'fastAPI' }, pid), {
    message: /LISTEN_PID: expected this process, \d+, got "1"/
  })
  t.throws(() => takeActivation({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'fastAPI' }, pid), { message: /LISTEN_PID: .* got nothing/ })
})

for (const value of ['', '0', '-1', 'one', '1.5', '99999']) {
  test(`LISTEN_FDS=${JSON.stringify(value)} is refused`, (t) => {
    t.throws(() => takeActivation(env({ LISTEN_FDS: value, LISTEN_FDNAMES: 'fastAPI' }), pid), { message: /LISTEN_FDS: expected/ })
  })
}

test('a set without a socket of our name is refused with the names that came', (t) => {
  t.throws(() => takeActivation(env({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'other:notify' }), pid), { message: /got "other:notify"/ })
  t.throws(() => takeActivation(env({ LISTEN_FDS: '1' }), pid), { message: /LISTEN_FDNAMES: .* got nothing/ })
})

test('a descriptor that is no socket is refused with its number', (t) => {
  const fd = openSync('/dev/null', 'r')
  t.teardown(() => closeSync(fd))
  const names = Array.from({ length: fd - 2 }, (_, index) => (index === fd - 3 ? 'fastAPI' : 'other')).join(':')
  t.throws(() => takeActivation(env({ LISTEN_FDS: String(fd - 2), LISTEN_FDNAMES: names }), pid), {
    message: new RegExp(`file descriptor ${fd} to be a listening socket`)
  })
})

test('sockets and the notification descriptor are found by name, in any order', async (t) => {
  const server = createServer().listen(join(tmpdir(), `fastapi-health-${pid}.sock`))
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const names = Array.from({ length: fd - 1 }, (_, index) => (index === fd - 3 ? 'fastAPI' : index === fd - 2 ? 'notify' : 'other'))
  t.deepEqual(takeActivation(env({ LISTEN_FDS: String(fd - 1), LISTEN_FDNAMES: names.join(':') }), pid), {
    socketFds: [fd],
    notifyFd: fd + 1
  })
})
